import { isMutableType } from '../ir/alias-types.ts'
import type { Block, Graph, Node } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { NodeTable } from './support/node-identity.ts'

/**
 * Moves every constant to the front of the graph and keeps one of equal ones, after
 * torch/csrc/jit/passes/constant_pooling.cpp:
 *
 * 1. Blocks are walked in order; a constant that is seen first moves in front of everything, so the last one seen
 *    ends up first.
 * 2. A constant equal to one seen before is replaced by it, unless it can be written in place and sharing would show.
 */
export function poolConstants(graph: Graph, cx: PassContext): void {
  poolBlock(graph.block, new NodeTable(), new Aliases(graph, cx), cx)
}

export const constantPoolingPass = definePass({
  name: 'constant-pooling',
  summary: 'Moves constants to the front of the graph and merges equal ones.',
  run: poolConstants,
})

function poolBlock(block: Block, constants: NodeTable, aliases: Aliases, cx: PassContext): void {
  for (const node of block.nodes()) {
    if (node.blocks.length > 0) for (const inner of node.blocks) poolBlock(inner, constants, aliases, cx)
    else if (node.kind === 'prim::Constant') pool(node, constants, aliases, cx)
  }
}

function pool(node: Node, constants: NodeTable, aliases: Aliases, cx: PassContext): void {
  const existing = constants.find(node)
  if (existing) {
    if (mayShare(node, existing, aliases))
      cx.rewrite(node, `is %${existing.output().debugName} too`, (edit) => {
        edit.replaceAllUses(node.output(), existing.output())
        edit.destroy(node)
      })
    else
      cx.miss(
        node,
        `is written in place or leaves the graph, so it stays apart from %${existing.output().debugName}`,
      )
    return
  }
  constants.add(node)
  const first = node.graph.block.returnNode.next
  if (node !== first) cx.rewrite(node, 'to the front', (edit) => edit.moveBefore(node, first))
}

function mayShare(node: Node, existing: Node, aliases: Aliases): boolean {
  const value = node.attribute('value')
  const isSameObject = typeof value === 'object' && value !== null && value === existing.attribute('value')
  return (
    isSameObject ||
    !isMutableType(node.output().type) ||
    aliases.safeToChangeAliasing(node.outputs, existing.outputs)
  )
}
