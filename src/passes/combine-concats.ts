import type { Graph, Node, Value } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'

/**
 * Joins a concatenation into the concatenation that alone uses it (`CombineConcats`,
 * torch/csrc/jit/passes/concat_opt.cpp):
 *
 * 1. Both have the same constant dimension.
 * 2. The inner result is used once, in the outer's list; both lists are constructed in sight and used once.
 * 3. Between the two nobody writes the tensors that are joined, nor the inner result.
 * 4. The inner's tensors take its place in the list: nothing is copied twice. One inner concatenation per pass.
 */
export const combineConcats = definePass({
  name: 'combine-concats',
  summary: 'Joins a concatenation into the one that uses its result.',
  run: (graph, cx) => void combine(graph, cx),
})

/** As the pass; returns whether anything was joined. */
export function combine(graph: Graph, cx: PassContext): boolean {
  const aliases = new Aliases(graph, cx)
  let changed = false
  for (const outer of graph.nodes('aten::cat')) {
    const offset = innerOffset(outer)
    const inner = outer.inputs[0]?.node.inputs[offset]
    if (inner === undefined) continue
    if (isWrittenBetween(inner.node, outer, aliases)) {
      cx.miss(outer, `%${inner.debugName} or what it joins is written in between`)
      continue
    }
    changed = join(cx, outer, offset, inner) || changed
  }
  return changed
}

function isWrittenBetween(inner: Node, outer: Node, aliases: Aliases): boolean {
  if (inner.owningBlock !== outer.owningBlock) return true
  const values = new Set([inner.output(), ...inner.input().node.inputs])
  for (let node = inner.next; node !== outer; node = node.next)
    if (aliases.writesAnyOf(node, values)) return true
  return false
}

/** Position in the outer's list of the first concatenation that can be joined; -1 if none. */
function innerOffset(outer: Node): number {
  const dim = constantDim(outer)
  const list = ownList(outer)
  if (dim === undefined || list === undefined) return -1
  return list.inputs.findIndex(
    ({ node, uses }) =>
      node.kind === 'aten::cat' &&
      uses.length === 1 &&
      constantDim(node) === dim &&
      ownList(node) !== undefined,
  )
}

function constantDim(cat: Node): number | undefined {
  const { node } = cat.input(1)
  const dim = node.kind === 'prim::Constant' ? node.attribute('value') : undefined
  return typeof dim === 'number' ? dim : undefined
}

function ownList(cat: Node): Node | undefined {
  const { node, uses } = cat.input()
  return node.kind === 'prim::ListConstruct' && uses.length === 1 ? node : undefined
}

function join(cx: PassContext, outer: Node, offset: number, inner: Value): boolean {
  return cx.rewrite(outer, `%${inner.debugName} is joined into it`, (edit) => {
    const list = outer.input().node
    const innerCat = inner.node
    const innerList = innerCat.input().node
    const inputs: Value[] = [...list.inputs]
    inputs.splice(offset, 1, ...innerList.inputs)
    const joined = edit.at(list, () =>
      edit.insert('prim::ListConstruct', inputs, { outputs: [list.output().type] }),
    )
    edit.replaceInput(outer, 0, joined.output())
    edit.destroy(list)
    edit.destroy(innerCat)
    edit.destroy(innerList)
  })
}
