import { ClassType } from '../../ir/class-type.ts'
import type { Graph } from '../../ir/graph.ts'
import { ScriptObject } from '../../ir/ivalue.ts'
import type { Type } from '../../ir/types.ts'
import { FreezeError } from '../errors.ts'
import { retypeGraph, withGraph } from './derive-class.ts'
import { findSlotAccesses, isModule, listSlots } from './module-slots.ts'
import { addModules, type Preserved } from './preserved.ts'

/**
 * The module that is left when its preserved methods have been frozen: what they and the user still need, in new
 * classes of the old names.
 *
 * @throws FreezeError when a method hands out the module itself
 */
export function buildFrozenModule(
  root: ScriptObject,
  graphs: ReadonlyMap<string, Graph>,
  preserved: Preserved,
): ScriptObject {
  const builder = new FrozenModuleBuilder(root, preserved)
  for (const graph of graphs.values()) builder.keepWhatIsUsed(graph)
  return builder.build(graphs)
}

class FrozenModuleBuilder {
  readonly #root: ScriptObject
  readonly #preserved: Preserved
  /** Modules that stay as they are, with all they hold. */
  readonly #whole: Set<ScriptObject>
  /** Attributes that stay, by class: objects of one class stay objects of one class. */
  readonly #kept = new Map<ClassType, Set<string>>()
  readonly #types = new Map<Type, ClassType>()
  readonly #objects = new Map<ScriptObject, ScriptObject>()

  constructor(root: ScriptObject, preserved: Preserved) {
    this.#root = root
    this.#preserved = preserved
    this.#whole = new Set(preserved.modules)
    for (const { object, name } of preserved.slots) this.#keep(object, name)
  }

  #keep(object: ScriptObject, name: string): void {
    const names = this.#kept.get(object.type) ?? new Set<string>()
    this.#kept.set(object.type, names.add(name))
  }

  keepWhatIsUsed(graph: Graph): void {
    const { reads, writes, objects } = findSlotAccesses(graph, this.#root)
    for (const { slot } of [...reads, ...writes]) this.#keep(slot.object, slot.name)
    for (const [value, object] of objects) {
      const escapes = value.uses.find(({ user, offset }) => {
        const isAccess = user.kind === 'prim::GetAttr' || user.kind === 'prim::SetAttr'
        return !(isAccess && offset === 0) && user.kind !== 'prim::fork'
      })
      if (escapes === undefined) continue
      if (object === this.#root)
        throw new FreezeError(
          'the module hands out itself',
          { node: escapes.user.kind },
          'such a module cannot be frozen',
        )
      addModules(object, this.#whole)
    }
  }

  build(graphs: ReadonlyMap<string, Graph>): ScriptObject {
    const frozen = this.#copy(this.#root)
    for (const [name, fn] of this.#preserved.methods) {
      const graph = graphs.get(name)
      if (graph) frozen.type.methods.set(name, withGraph(fn, retypeGraph(graph, this.#types), this.#types))
    }
    return frozen
  }

  #copy(object: ScriptObject): ScriptObject {
    if (this.#whole.has(object)) return object
    const known = this.#objects.get(object)
    if (known) return known
    const copy = new ScriptObject(this.#typeOf(object.type))
    this.#objects.set(object, copy)
    for (const [name, content] of object.slots)
      if (this.#kept.get(object.type)?.has(name) === true) {
        const kept = isModule(content) ? this.#copy(content) : content
        copy.slots.set(name, kept)
        this.#declare(object.type, copy.type, name, isModule(kept) ? kept.type : undefined)
      }
    return copy
  }

  #declare(old: ClassType, type: ClassType, name: string, module: ClassType | undefined): void {
    const attribute = old.attributes.get(name)
    if (attribute && !type.attributes.has(name))
      type.attributes.set(name, { ...attribute, type: module ?? attribute.type })
  }

  #typeOf(old: ClassType): ClassType {
    const known = this.#types.get(old)
    if (known) return known
    const type = new ClassType(this.#uniqueName(old), { isModule: old.isModule })
    this.#types.set(old, type)
    return type
  }

  /** The old name, mangled if modules of the old class stay as they are. */
  #uniqueName(old: ClassType): string {
    const taken = new Set<string>()
    for (const whole of this.#whole) taken.add(whole.type.name)
    if (!taken.has(old.name)) return old.name
    for (const { object } of listSlots(this.#root)) taken.add(object.type.name)
    const dot = old.name.lastIndexOf('.')
    for (let i = 0; ; i++) {
      const name = `${old.name.slice(0, dot)}.___torch_mangle_${i}${old.name.slice(dot)}`
      if (!taken.has(name)) return name
    }
  }
}
