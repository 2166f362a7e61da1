import type { Graph } from '../../ir/graph.ts'
import type { IValue, ScriptObject } from '../../ir/ivalue.ts'
import { optimizedGraph } from '../preoptimize.ts'
import { mayWrite } from './effects.ts'
import { inlineMethods, methodOf, methodsOf, type ModuleMethod } from './inline-module.ts'
import { everyNode, isModule, listSlots, type Slot } from './module-slots.ts'
import { defaultServices } from './services.ts'
import { SlotWrites } from './slot-writes.ts'

/** A method of a module that keeps all its other methods. */
export interface MethodInModule {
  /** Inlined. */
  readonly graph: Graph
  /** Attributes to which some method assigns a module. */
  readonly assigned: ReadonlySet<string>
  /** What this and all other methods write, those of submodules too: each may be called from outside. */
  readonly writes: SlotWrites
}

/**
 * @param flags bool attributes that count as having these values, whatever the modules hold
 * @throws FreezeError when there is no such method
 */
export function methodInModule(
  module: ScriptObject,
  name: string,
  flags: Readonly<Record<string, boolean>> = {},
): MethodInModule {
  const method: ModuleMethod = { object: module, path: '', name, fn: methodOf(module, name) }
  const others = methodsOf(modulesBelow(module)).filter(
    (other) => !(other.object === module && other.name === name) && mayWriteAnything(other),
  )
  const inlined = inlineMethods([method, ...others])
  const [{ graph } = { graph: method.fn.graph }] = inlined.methods
  const decided = new Map(Object.entries(flags))
  const writes = new SlotWrites(inlined, {
    services: defaultServices,
    contentOf: (slot) => contentWith(decided, slot),
  })
  return { graph, assigned: inlined.assigned, writes }
}

function mayWriteAnything({ fn }: ModuleMethod): boolean {
  return [...everyNode(optimizedGraph(fn))].some((node) => mayWrite(node, defaultServices))
}

/** What the slot holds once the flags are decided. */
export function contentWith(flags: ReadonlyMap<string, boolean>, { object, name }: Slot): IValue | undefined {
  const content = object.slots.get(name)
  return typeof content === 'boolean' ? (flags.get(name) ?? content) : content
}

/** The module and those below it, each once, with its path. */
export function modulesBelow(root: ScriptObject, path = ''): Map<ScriptObject, string> {
  const modules = new Map([[root, path]])
  for (const slot of listSlots(root, path)) {
    const content = slot.object.slots.get(slot.name)
    if (isModule(content) && !modules.has(content)) modules.set(content, slot.path)
  }
  return modules
}
