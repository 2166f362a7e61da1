import { ClassType } from '../../ir/class-type.ts'
import { GraphEditor } from '../../ir/graph-editor.ts'
import type { Value } from '../../ir/graph.ts'
import { ScriptObject, type IValue } from '../../ir/ivalue.ts'
import { FreezeError } from '../errors.ts'
import { withGraph } from './derive-class.ts'
import { accessesOf, type InlinedMethod, type InlinedMethods } from './inline-module.ts'
import { isModule, listSlots, type Slot } from './module-slots.ts'
import { addModules, type Preserved } from './preserved.ts'

/** The module that is left of one that was frozen. */
export interface FrozenRest {
  readonly module: ScriptObject
  /** Whether it has an attribute of the one that was frozen. */
  holds(slot: Slot): boolean
}

/**
 * The module that is left when its preserved methods have been frozen: what they and the user still need, in new
 * classes of the old names.
 *
 * @throws FreezeError when a method hands out the module itself
 */
export function buildFrozenModule(
  root: ScriptObject,
  frozen: InlinedMethods,
  preserved: Preserved,
): FrozenRest {
  const whole = new Set([...preserved.modules, ...escapingModules(frozen)])
  if (whole.has(root))
    throw new FreezeError(
      'the module hands out itself',
      {},
      'such a module cannot be frozen; freeze its parameters by name with --params',
    )
  return new FrozenModuleBuilder(root, frozen, preserved, whole).build()
}

/**
 * Modules that leave a graph or that methods swap, and everything below them: they stay whole, as what happens to
 * them is known only at run time.
 */
export function escapingModules({ methods, assigned }: InlinedMethods): Set<ScriptObject> {
  const escaping = new Set<ScriptObject>()
  for (const method of methods) {
    const { objects, reads } = accessesOf(method, assigned)
    for (const [value, object] of objects) if (escapes(value)) addModules(object, escaping)
    for (const { node, slot } of reads)
      if (!objects.has(node.output())) addModules(slot.object.slots.get(slot.name), escaping)
  }
  return escaping
}

/** Whether a node does something else with a module than reading or writing its attributes. */
function escapes(value: Value): boolean {
  return value.uses.some(({ user, offset }) => {
    const isAccess = user.kind === 'prim::GetAttr' || user.kind === 'prim::SetAttr'
    return !(isAccess && offset === 0) && user.kind !== 'prim::fork' && user.kind !== 'prim::unchecked_cast'
  })
}

class FrozenModuleBuilder {
  readonly #root: ScriptObject
  readonly #methods: readonly InlinedMethod[]
  readonly #assigned: ReadonlySet<string>
  /** Modules that stay as they are, with all they hold. */
  readonly #whole: ReadonlySet<ScriptObject>
  readonly #kept = new Map<ScriptObject, Set<string>>()
  /** New classes by old class: objects of one class that keep the same stay objects of one class. */
  readonly #types = new Map<ClassType, ClassType[]>()
  readonly #objects = new Map<ScriptObject, ScriptObject>()
  readonly #inProgress = new Set<ScriptObject>()

  constructor(
    root: ScriptObject,
    frozen: InlinedMethods,
    preserved: Preserved,
    whole: ReadonlySet<ScriptObject>,
  ) {
    this.#root = root
    this.#assigned = frozen.assigned
    this.#whole = whole
    // Methods of modules that stay whole stay as they are.
    this.#methods = frozen.methods.filter(({ object }) => !whole.has(object))
    for (const { object, name } of preserved.slots) this.#keep(object, name)
    for (const method of this.#methods) {
      const { reads, writes } = accessesOf(method, this.#assigned)
      for (const { slot } of [...reads, ...writes]) this.#keep(slot.object, slot.name)
    }
  }

  #keep(object: ScriptObject, name: string): void {
    this.#kept.set(object, (this.#kept.get(object) ?? new Set<string>()).add(name))
  }

  build(): FrozenRest {
    const module = this.#copy(this.#root)
    for (const method of this.#methods) {
      const { type } = this.#copy(method.object)
      this.#retype(method)
      const types = new Map([[method.object.type, type]])
      type.methods.set(method.name, withGraph(method.fn, method.graph, types))
    }
    const holds = ({ object, name }: Slot): boolean =>
      this.#whole.has(object) || this.#objects.get(object)?.slots.has(name) === true
    return { module, holds }
  }

  /** Values that are known modules get the classes of what is left of these. */
  #retype(method: InlinedMethod): void {
    for (const [value, object] of accessesOf(method, this.#assigned).objects)
      new GraphEditor(value.graph).setType(value, this.#copy(object).type)
  }

  #copy(object: ScriptObject): ScriptObject {
    if (this.#whole.has(object)) return object
    const known = this.#objects.get(object)
    if (known) return known
    if (this.#inProgress.has(object))
      throw new FreezeError(
        'a module holds itself',
        { node: object.type.name },
        'such a module cannot be frozen',
      )
    this.#inProgress.add(object)
    const slots = new Map<string, IValue>()
    for (const [name, content] of object.slots)
      if (this.#kept.get(object)?.has(name) === true)
        slots.set(name, isModule(content) ? this.#copy(content) : content)
    const copy = new ScriptObject(this.#typeFor(object, slots), slots)
    this.#objects.set(object, copy)
    return copy
  }

  /** An object whose own methods were frozen, with its own constants, gets a class of its own. */
  #typeFor(object: ScriptObject, slots: ReadonlyMap<string, IValue>): ClassType {
    const { type: old } = object
    const type = new ClassType(this.#uniqueName(old), { isModule: old.isModule })
    for (const [name, content] of slots) {
      const attribute = old.attributes.get(name)
      if (attribute === undefined) continue
      const isFixed = isModule(content) && !this.#assigned.has(name)
      type.attributes.set(name, { ...attribute, type: isFixed ? content.type : attribute.type })
    }
    const known = this.#types.get(old) ?? []
    this.#types.set(old, known)
    const isOwn = this.#methods.some((method) => method.object === object)
    const same = isOwn ? undefined : known.find((other) => hasSameAttributes(other, type))
    if (same) return same
    known.push(type)
    return type
  }

  /** The old name, mangled if other modules of the old class have it. */
  #uniqueName(old: ClassType): string {
    const taken = new Set<string>()
    for (const whole of this.#whole) taken.add(whole.type.name)
    for (const type of [...this.#types.values()].flat()) taken.add(type.name)
    if (!taken.has(old.name)) return old.name
    for (const { object } of listSlots(this.#root)) taken.add(object.type.name)
    const dot = old.name.lastIndexOf('.')
    for (let i = 0; ; i++) {
      const name = `${old.name.slice(0, dot)}.___torch_mangle_${i}${old.name.slice(dot)}`
      if (!taken.has(name)) return name
    }
  }
}

function hasSameAttributes(a: ClassType, b: ClassType): boolean {
  return (
    a.methods.size === 0 &&
    a.attributes.size === b.attributes.size &&
    [...a.attributes].every(([name, { type }]) => b.attributes.get(name)?.type === type)
  )
}
