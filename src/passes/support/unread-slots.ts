import type { ClassType } from '../../ir/class-type.ts'
import type { Graph } from '../../ir/graph.ts'
import type { ScriptObject } from '../../ir/ivalue.ts'
import { accessesOf, inlineMethods, methodsOf } from './inline-module.ts'
import { everyNode, isModule, listSlots, type Slot } from './module-slots.ts'

/**
 * The frozen attributes below a module that none of the module's own methods reads any longer once `graph` is the
 * graph of `method`. Helpers, named with a leading underscore, do not count: what is needed of them is inlined. An
 * attribute goes only when it can go from all objects of its class, and never from what is behind an interface or
 * pickles itself.
 */
export function findUnread(
  module: ScriptObject,
  method: string,
  graph: Graph,
  isFrozen: (slot: Slot) => boolean,
): Slot[] {
  const read = slotsReadByMethods(module, method, graph)
  if (read === undefined) return []
  const opaque = opaqueObjects(module)
  const isUnread = (slot: Slot): boolean =>
    isFrozen(slot) && !opaque.has(slot.object) && read.get(slot.object)?.has(slot.name) !== true
  const sameOfClass = new Map<ClassType, Map<string, Slot[]>>()
  for (const slot of listSlots(module)) {
    const names = sameOfClass.get(slot.object.type) ?? new Map<string, Slot[]>()
    sameOfClass.set(slot.object.type, names.set(slot.name, [...(names.get(slot.name) ?? []), slot]))
  }
  return [...sameOfClass.values()].flatMap((names) =>
    [...names.values()].filter((same) => same.every(isUnread)).flat(),
  )
}

type SlotNames = ReadonlyMap<ScriptObject, ReadonlySet<string>>

/** Undefined when that is known only at run time. */
function slotsReadByMethods(module: ScriptObject, method: string, graph: Graph): SlotNames | undefined {
  const others = methodsOf([[module, '']]).filter(({ name }) => name !== method && !isHelper(name))
  const { methods, assigned } = inlineMethods(others)
  const [own] = methodsOf([[module, '']]).filter(({ name }) => name === method)
  const all = own === undefined ? methods : [...methods, { ...own, graph }]
  const names = new Map<ScriptObject, Set<string>>()
  for (const one of all) {
    const { reads, unknown } = accessesOf(one, assigned)
    if (unknown.length > 0 || [...everyNode(one.graph)].some(({ kind }) => kind === 'prim::CallMethod'))
      return undefined
    for (const { slot } of reads)
      names.set(slot.object, (names.get(slot.object) ?? new Set<string>()).add(slot.name))
  }
  return names
}

/** Python's mark of a method that only other methods call, such as the `_forward_impl` of torchvision's models. */
function isHelper(name: string): boolean {
  return name.startsWith('_') && !name.startsWith('__')
}

/** What is behind an interface or pickles itself, with everything below. */
function opaqueObjects(root: ScriptObject): Set<ScriptObject> {
  const opaque = new Set<ScriptObject>()
  const clear = new Set<ScriptObject>()
  const visit = (object: ScriptObject, isOpaque: boolean): void => {
    if (opaque.has(object) || (!isOpaque && clear.has(object))) return
    clear.add(object)
    if (isOpaque) opaque.add(object)
    for (const [name, content] of object.slots) {
      if (!isModule(content)) continue
      const isInterface = object.type.attributes.get(name)?.type.kind === 'Interface'
      visit(content, isOpaque || isInterface || content.type.methods.has('__setstate__'))
    }
  }
  visit(root, root.type.methods.has('__setstate__'))
  return opaque
}
