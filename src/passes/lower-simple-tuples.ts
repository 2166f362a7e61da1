import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import { tupleOf } from '../ir/types.ts'
import { definePass, type PassContext } from './pass.ts'
import { constantInt } from './support/constants.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'

/**
 * Takes apart tuples that are put together in sight, after `LowerSimpleTuples` in
 * torch/csrc/jit/passes/lower_tuples.cpp:
 *
 * 1. `TupleUnpack(TupleConstruct(a, b))` is `a, b`.
 * 2. `TupleIndex(TupleConstruct(a, b), 1)` is `b`.
 * 3. `TupleSlice` of a TupleConstruct is a shorter TupleConstruct.
 * 4. What has become dead goes.
 */
export function lowerSimpleTuples(graph: Graph, cx: PassContext): void {
  lowerBlock(graph.block, cx)
  eliminateDeadCode(graph, cx)
}

export const lowerSimpleTuplesPass = definePass({
  name: 'lower-simple-tuples',
  summary: 'Replaces the elements of a tuple that is constructed in sight by the values themselves.',
  run: lowerSimpleTuples,
})

function lowerBlock(block: Block, cx: PassContext): void {
  for (const node of block.nodes()) {
    lower(node, cx)
    for (const inner of node.blocks) lowerBlock(inner, cx)
  }
}

function lower(node: Node, cx: PassContext): void {
  if (!/^prim::Tuple(Unpack|Index|Slice)$/.test(node.kind)) return
  const construct = node.input().node
  if (construct.kind !== 'prim::TupleConstruct') return
  if (node.kind === 'prim::TupleUnpack') unpack(node, construct.inputs, cx)
  else if (node.kind === 'prim::TupleIndex') index(node, construct.inputs, cx)
  else slice(node, construct.inputs, cx)
}

function unpack(node: Node, elements: readonly Value[], cx: PassContext): void {
  if (node.outputs.every((output) => output.uses.length === 0)) return
  cx.rewrite(node, 'the tuple is constructed in sight', (edit) => {
    node.outputs.forEach((output, i) => edit.replaceAllUses(output, elements[i] as Value))
  })
}

function index(node: Node, elements: readonly Value[], cx: PassContext): void {
  const at = constantInt(node.input(1))
  const element = at === undefined ? undefined : elements.at(at)
  if (element === undefined || node.output().uses.length === 0) return
  cx.rewrite(node, 'the tuple is constructed in sight', (edit) => edit.replaceAllUses(node.output(), element))
}

function slice(node: Node, elements: readonly Value[], cx: PassContext): void {
  const begin = node.attribute('beg')
  const end = node.attribute('end')
  if (typeof begin !== 'number' || typeof end !== 'number') return
  const kept = elements.slice(begin, end)
  cx.rewrite(node, 'the tuple is constructed in sight', (edit) => {
    const shorter = edit.insert('prim::TupleConstruct', kept, {
      outputs: [tupleOf(kept.map((value) => value.type))],
      range: node.range,
    })
    edit.replaceAllUses(node.output(), shorter.output())
  })
}
