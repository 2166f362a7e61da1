import type { Use } from '../../ir/graph.ts'
import { ScriptObject } from '../../ir/ivalue.ts'
import { attributeName, joinPath, type SlotAccess } from './module-slots.ts'
import { memoryOf } from './slot-writes.ts'

/**
 * What a graph reads of an object that is no module and that an attribute holds: numbers, text and tuples of them, of an
 * object that the graph only takes apart. What can be written in place, and objects that go elsewhere, are left out.
 */
export function readsOfObject({ node, slot }: SlotAccess): SlotAccess[] {
  const object = slot.object.slots.get(slot.name)
  if (node.kind !== 'prim::GetAttr' || !(object instanceof ScriptObject) || object.type.isModule) return []
  const { uses } = node.output()
  if (!uses.every(isRead)) return []
  return uses.flatMap(({ user }) => {
    const name = attributeName(user)
    const content = object.slots.get(name)
    if (content === undefined || memoryOf(content).size > 0) return []
    return { node: user, slot: { object, name, path: joinPath(slot.path, name) } }
  })
}

function isRead({ user }: Use): boolean {
  return user.kind === 'prim::GetAttr'
}
