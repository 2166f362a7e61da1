import type { GraphFunction } from '../../ir/graph-function.ts'
import { ScriptObject } from '../../ir/ivalue.ts'
import { FreezeError } from '../errors.ts'
import { isModule, type Slot } from './module-slots.ts'

/** What the user wants to keep of a module that is frozen. */
export interface Preserved {
  readonly methods: ReadonlyMap<string, GraphFunction>
  /** The named attributes, and the submodules on the way to them. */
  readonly slots: readonly Slot[]
  /** Whether the attribute is named, or lies in a submodule that is named. */
  has(slot: Slot): boolean
  /** Submodules that are kept whole. */
  readonly modules: ReadonlySet<ScriptObject>
}

/**
 * Looks up names such as `other_method`, `scale` or `encoder.scale`; `forward` is always among the methods.
 *
 * @throws FreezeError for a name that the module does not have
 */
export function resolvePreserved(root: ScriptObject, names: readonly string[]): Preserved {
  const methods = new Map<string, GraphFunction>()
  const slots: Slot[] = []
  const forward = root.type.methods.get('forward')
  if (forward) methods.set('forward', forward)
  for (const name of names) {
    const method = root.type.methods.get(name)
    if (method) methods.set(name, method)
    else slots.push(...resolvePath(root, name))
  }
  if (methods.size === 0)
    throw new FreezeError(
      'the module has no method to preserve',
      {},
      'it has no forward; name a method with --preserve',
    )
  const last = slots.filter((slot) => names.includes(slot.path))
  const modules = new Set<ScriptObject>()
  for (const slot of last) addModules(slot.object.slots.get(slot.name) as ScriptObject, modules)
  const isNamed = (slot: Slot): boolean =>
    last.some(({ object, name }) => object === slot.object && name === slot.name) || modules.has(slot.object)
  return { methods, slots, has: isNamed, modules }
}

function resolvePath(root: ScriptObject, path: string): Slot[] {
  const slots: Slot[] = []
  let object = root
  let prefix = ''
  for (const name of path.split('.')) {
    if (!object.slots.has(name))
      throw new FreezeError(
        `Unknown name: ${path}`,
        {},
        `it is neither a method of the module nor an attribute`,
      )
    prefix = prefix === '' ? name : `${prefix}.${name}`
    slots.push({ object, name, path: prefix })
    const content = object.slots.get(name)
    if (content instanceof ScriptObject) object = content
    else if (prefix !== path) throw new FreezeError(`Unknown name: ${path}`, {}, `'${prefix}' is no module`)
  }
  return slots
}

/** The module, if it is one, and everything below it. */
export function addModules(module: ScriptObject | undefined, found: Set<ScriptObject>): void {
  if (!isModule(module) || found.has(module)) return
  found.add(module)
  for (const content of module.slots.values()) if (isModule(content)) addModules(content, found)
}
