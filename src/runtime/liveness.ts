import type { Block, Graph, Node, Value } from '../ir/graph.ts'

/**
 * For each node, the values that nobody needs once it has run: those whose last use, seen from the block that
 * defines them, lies in it. A value from outside a loop is kept until the loop is over.
 */
export function lastUses(graph: Graph): ReadonlyMap<Node, readonly Value[]> {
  const dying = new Map<Node, Value[]>()
  visitValues(graph.block, (value, block) => {
    const last = lastUser(value, block)
    if (last === undefined) return
    const values = dying.get(last)
    if (values) values.push(value)
    else dying.set(last, [value])
  })
  return dying
}

function visitValues(block: Block, visit: (value: Value, block: Block) => void): void {
  for (const input of block.inputs) visit(input, block)
  for (const node of block.nodes()) {
    if (node.kind !== 'prim::Constant') for (const output of node.outputs) visit(output, block)
    for (const inner of node.blocks) visitValues(inner, visit)
  }
}

function lastUser(value: Value, block: Block): Node | undefined {
  let last: Node | undefined
  for (const { user } of value.uses) {
    const node = ancestorIn(block, user)
    if (last === undefined || last.isBefore(node)) last = node
  }
  return last
}

/** The node of `block` that is `node` or holds it. */
function ancestorIn(block: Block, node: Node): Node {
  let at = node
  while (at.owningBlock !== block) at = at.owningBlock.owningNode as Node
  return at
}
