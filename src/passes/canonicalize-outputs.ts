import { invariant } from '../errors.ts'
import type { Block, Graph, Node, Use, Value } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { loopBodyOffset, loopInputOffset } from './support/control-flow.ts'

/**
 * Orders the outputs of `prim::If` and `prim::Loop` by the place of their first use in the printed graph, after
 * `CanonicalizeOutputs` in torch/csrc/jit/passes/canonicalize.cpp:
 *
 * 1. Nodes are visited last to first, a node before its blocks.
 * 2. Values without uses come last, in the order they had.
 * 3. A use in a nested block counts where the block stands.
 */
export function canonicalizeOutputs(graph: Graph, cx: PassContext): void {
  canonicalizeBlock(graph.block, cx)
}

export const canonicalizeOutputsPass = definePass({
  name: 'canonicalize-outputs',
  summary: 'Orders the outputs of conditions and loops by their first use.',
  run: canonicalizeOutputs,
})

function canonicalizeBlock(block: Block, cx: PassContext): void {
  for (const node of block.nodesReversed()) {
    if (node.kind === 'prim::If' || node.kind === 'prim::Loop') reorder(node, cx)
    for (const inner of node.blocks) canonicalizeBlock(inner, cx)
  }
}

function reorder(node: Node, cx: PassContext): void {
  const firstUses = node.outputs.map(firstUse)
  const order = [...firstUses.keys()].sort((a, b) => compare(firstUses[a], firstUses[b]) || a - b)
  if (order.every((offset, i) => offset === i)) return
  cx.rewrite(node, 'by first use', (edit) => {
    edit.permuteOutputs(node, order)
    if (node.kind === 'prim::Loop') edit.permuteInputs(node, behind(loopInputOffset, order))
    for (const block of node.blocks) {
      const offset = node.kind === 'prim::Loop' ? loopBodyOffset : 0
      edit.permuteInputs(block.returnNode, behind(offset, order))
      if (node.kind === 'prim::Loop') edit.permuteOutputs(block.paramNode, behind(offset, order))
    }
  })
}

/** The order of a longer list whose first `offset` items stay where they are. */
function behind(offset: number, order: readonly number[]): number[] {
  return [...Array.from({ length: offset }, (_, i) => i), ...order.map((i) => i + offset)]
}

function firstUse(value: Value): Use | undefined {
  const [first, ...rest] = value.uses
  return first && rest.reduce((a, b) => (compareUses(a, b) <= 0 ? a : b), first)
}

function compare(a: Use | undefined, b: Use | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  return compareUses(a, b)
}

function compareUses(a: Use, b: Use): number {
  if (a.user === b.user) return a.offset - b.offset
  return isPrintedBefore(a.user, b.user) ? -1 : 1
}

/** Whether `a` comes first where the graph is printed: also between the two blocks of one node. */
function isPrintedBefore(a: Node, b: Node): boolean {
  const left = chainOf(a)
  const right = chainOf(b)
  let depth = 0
  while (depth < left.length && left[depth] === right[depth]) depth++
  const mine = left[depth]
  const theirs = right[depth]
  if (mine === undefined || theirs === undefined) return mine === undefined
  if (mine.owningBlock === theirs.owningBlock) return mine.isBefore(theirs)
  const owner = mine.owningBlock.owningNode
  invariant(owner !== undefined, 'uses in different graphs')
  return owner.blocks.indexOf(mine.owningBlock) < owner.blocks.indexOf(theirs.owningBlock)
}

/** The nodes around the node, outermost first, and the node itself. */
function chainOf(node: Node): Node[] {
  const chain: Node[] = []
  for (let at: Node | undefined = node; at !== undefined; at = at.owningBlock.owningNode) chain.unshift(at)
  return chain
}
