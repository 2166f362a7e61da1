import type { Block, Graph, Node } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { hasSideEffects, isNondeterministic } from './support/effects.ts'
import { NodeTable } from './support/node-identity.ts'

/**
 * Computes once what is computed twice, after torch/csrc/jit/passes/common_subexpression_elimination.cpp:
 *
 * 1. A node equal to one before it in the same block, or in a block around it, is replaced by that one.
 * 2. Left alone: side effects, random results, and whatever may share memory that anything writes.
 * 3. Two fresh results that may be seen from outside, such as two outputs, do not become one.
 */
export function eliminateCommonSubexpressions(graph: Graph, cx: PassContext): void {
  visitBlock(graph.block, [], new Aliases(graph, cx), cx)
}

export const eliminateCommonSubexpressionsPass = definePass({
  name: 'eliminate-common-subexpressions',
  summary: 'Replaces a node by an equal one that is computed before it anyway.',
  run: eliminateCommonSubexpressions,
})

function visitBlock(block: Block, around: readonly NodeTable[], aliases: Aliases, cx: PassContext): void {
  const tables = [...around, new NodeTable()]
  for (const node of block.nodes()) {
    if (node.blocks.length > 0) for (const inner of node.blocks) visitBlock(inner, tables, aliases, cx)
    else if (isCandidate(node, cx) && !aliases.hasWriters(node)) merge(node, tables, aliases, cx)
  }
}

function isCandidate(node: Node, cx: PassContext): boolean {
  return node.outputs.length > 0 && !hasSideEffects(node, cx) && !isNondeterministic(node, cx)
}

function merge(node: Node, tables: readonly NodeTable[], aliases: Aliases, cx: PassContext): void {
  const existing = find(node, tables)
  if (existing === undefined) {
    tables.at(-1)?.add(node)
    return
  }
  if (!givesSameMemory(node, cx) && !aliases.safeToChangeAliasing(node.outputs, existing.outputs)) {
    cx.miss(node, `shares no memory with %${existing.output().debugName} so far, and somebody might see it`)
    return
  }
  cx.rewrite(node, `is %${existing.output().debugName} again`, (edit) => {
    node.outputs.forEach((output, i) => edit.replaceAllUses(output, existing.output(i)))
    edit.destroy(node)
  })
}

const sameEveryTime = new Set(['prim::GetAttr', 'prim::TupleIndex', 'prim::Uninitialized'])

/**
 * Whether the node, run twice on the same inputs, gives the same memory twice: a view or a part of an input. What is
 * uninitialised is never looked at.
 */
function givesSameMemory(node: Node, cx: PassContext): boolean {
  if (sameEveryTime.has(node.kind)) return true
  const returns = cx.schemaOf(node)?.returns ?? []
  return (
    returns.length > 0 &&
    returns.every(({ alias }) => alias?.before.length === 1 && !alias.before.includes('*'))
  )
}

function find(node: Node, tables: readonly NodeTable[]): Node | undefined {
  for (const table of tables) {
    const existing = table.find(node)
    if (existing) return existing
  }
  return undefined
}
