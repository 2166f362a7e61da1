import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Block, Graph, Node } from '../../ir/graph.ts'

/** Inputs of a `prim::Loop` in front of the carried ones: trip count and first condition. */
export const loopInputOffset = 2
/** Block inputs (the counter) and outputs (the next condition) in front of the carried ones. */
export const loopBodyOffset = 1

/** Takes output `i` from a `prim::If` and from both of its blocks; nothing may use it any more. */
export function eraseIfOutput(edit: GraphEditor, node: Node, i: number): void {
  edit.eraseOutput(node, i)
  for (const block of node.blocks) edit.eraseBlockOutput(block, i)
}

/** Takes carried value `i` from a `prim::Loop`; nothing may use it any more, inside or behind. */
export function eraseLoopOutput(edit: GraphEditor, node: Node, i: number): void {
  const body = node.block()
  edit.eraseOutput(node, i)
  edit.removeInput(node, loopInputOffset + i)
  edit.eraseBlockOutput(body, loopBodyOffset + i)
  edit.eraseBlockInput(body, loopBodyOffset + i)
}

/** Every block of the graph, outer before inner. */
export function* blocksOf(root: Block): Generator<Block, void, undefined> {
  yield root
  for (const node of root.nodes()) for (const block of node.blocks) yield* blocksOf(block)
}

/** The subgraph of a `prim::fork`, if the node is one. */
export function subgraphOf(node: Node): Graph | undefined {
  const attribute = node.attributes.get('Subgraph')
  return attribute?.kind === 'graph' ? attribute.graph : undefined
}
