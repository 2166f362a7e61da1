import { bug } from '../errors.ts'
import type { Block, Node, Value } from './graph.ts'

/*
 * Control flow is structured, so dominance needs no tree: a node dominates what comes behind it in its own block,
 * nested blocks included.
 */

/** The node itself or the node around it that lies in `block`; undefined if it is not inside. */
export function ancestorIn(block: Block, node: Node): Node | undefined {
  for (let at: Node | undefined = node; at !== undefined; at = at.owningBlock.owningNode)
    if (at.owningBlock === block) return at
  return undefined
}

/** Whether the node lies in the block or in a block nested there. */
export function isInside(node: Node, block: Block): boolean {
  return ancestorIn(block, node) !== undefined
}

/** Whether every execution that comes to `node` has come through `dominator`; a node dominates itself. */
export function dominates(dominator: Node, node: Node): boolean {
  const ancestor = ancestorIn(dominator.owningBlock, node)
  if (ancestor === undefined) return false
  return ancestor === dominator ? node === dominator : dominator.isBefore(ancestor)
}

/** Whether the value is defined wherever `node` is executed, so that `node` may use it. */
export function isAvailableAt(value: Value, node: Node): boolean {
  return value.node !== node && dominates(value.node, node)
}

/** The innermost block that both nodes lie in. */
export function commonBlock(a: Node, b: Node): Block {
  for (
    let block: Block | undefined = a.owningBlock;
    block !== undefined;
    block = block.owningNode?.owningBlock
  )
    if (isInside(b, block)) return block
  bug(`${a.kind} and ${b.kind} are of different graphs`)
}

/**
 * The values that are used for the last time by each node of the block, its own and those from around it. A use in a
 * nested block counts as one of the node that holds the block; values that the block returns belong to its return
 * node. A value of a loop body's outside is used again in the next iteration: its last use there is not its death.
 */
export function lastUses(block: Block): ReadonlyMap<Node, readonly Value[]> {
  const last = new Map<Value, Node>()
  for (const node of [...block.nodes(), block.returnNode])
    for (const value of usedBy(node)) last.set(value, node)
  const byNode = new Map<Node, Value[]>()
  for (const [value, node] of last) {
    const values = byNode.get(node)
    if (values) values.push(value)
    else byNode.set(node, [value])
  }
  return byNode
}

/** What the node and its nested blocks use and do not define themselves. */
function usedBy(node: Node): Set<Value> {
  const used = new Set(node.inputs)
  for (const block of node.blocks)
    for (const inner of [...block.nodes(), block.returnNode])
      for (const value of usedBy(inner)) if (!isInside(value.node, block)) used.add(value)
  return used
}
