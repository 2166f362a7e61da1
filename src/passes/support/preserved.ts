import { ScriptObject } from '../../ir/ivalue.ts'
import { FreezeError } from '../errors.ts'
import type { ModuleMethod } from './inline-module.ts'
import { isModule, type Slot } from './module-slots.ts'

/** What the user wants to keep of a module that is frozen. */
export interface Preserved {
  /** `forward` first, if there is one. */
  readonly methods: readonly ModuleMethod[]
  /** The named attributes, and the submodules on the way to them and to named methods. */
  readonly slots: readonly Slot[]
  /** Whether the attribute is named, or lies in a submodule that is named. */
  has(slot: Slot): boolean
  /** Submodules that are kept whole. */
  readonly modules: ReadonlySet<ScriptObject>
}

/**
 * Looks up names such as `other_method`, `scale`, `encoder.scale` or `encoder.encode`; `forward` is always among the
 * methods (`AttributePropagator`, torch/csrc/jit/passes/freeze_module.cpp).
 *
 * @throws FreezeError for a name that the module does not have, and when no method is left
 */
export function resolvePreserved(root: ScriptObject, names: readonly string[]): Preserved {
  const methods: ModuleMethod[] = []
  const slots: Slot[] = []
  const named: Slot[] = []
  const forward = root.type.methods.has('forward') ? ['forward'] : []
  for (const name of new Set([...forward, ...names])) {
    const found = resolvePath(root, name)
    slots.push(...found.way)
    if (found.method) methods.push(found.method)
    if (found.slot) named.push(found.slot)
  }
  if (methods.length === 0)
    throw new FreezeError(
      'the module has no method to preserve',
      {},
      `it has no forward; preserve one of its methods by name: ${[...root.type.methods.keys()].join(', ') || 'it has none'}`,
    )
  const modules = new Set<ScriptObject>()
  for (const { object, name } of named) addModules(object.slots.get(name), modules)
  const has = (slot: Slot): boolean =>
    named.some(({ object, name }) => object === slot.object && name === slot.name) || modules.has(slot.object)
  return { methods, slots: [...slots, ...named], has, modules }
}

interface Resolved {
  /** The submodules in front of the last name. */
  readonly way: readonly Slot[]
  readonly slot?: Slot
  readonly method?: ModuleMethod
}

function resolvePath(root: ScriptObject, path: string): Resolved {
  const names = path.split('.')
  const last = names.pop() ?? ''
  const way: Slot[] = []
  let object = root
  names.forEach((name, i) => {
    const slot = { object, name, path: names.slice(0, i + 1).join('.') }
    const content = object.slots.get(name)
    if (!isModule(content))
      throw new FreezeError(
        `Unknown name: ${path}`,
        {},
        content === undefined ? `there is no '${slot.path}'` : `'${slot.path}' is no module`,
      )
    way.push(slot)
    object = content
  })
  const fn = object.type.methods.get(last)
  if (object.slots.has(last)) return { way, slot: { object, name: last, path } }
  if (fn) return { way, method: { object, path: names.join('.'), name: last, fn } }
  throw new FreezeError(`Unknown name: ${path}`, {}, 'it is neither a method of the module nor an attribute')
}

/** The module, if it is one, and everything below it. */
export function addModules(module: unknown, found: Set<ScriptObject>): void {
  if (!(module instanceof ScriptObject) || !module.type.isModule || found.has(module)) return
  found.add(module)
  for (const content of module.slots.values()) addModules(content, found)
}
