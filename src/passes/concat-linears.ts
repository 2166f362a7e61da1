import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import { cat } from '../ops/joining.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { readLayer, type Layer } from './support/channel-layer.ts'
import { insertValue } from './support/constants.ts'
import { roleOf } from './support/node-arguments.ts'

/**
 * Computes linear layers on the same input as one layer, whose result is cut up, after
 * torch/csrc/jit/passes/frozen_concat_linear.cpp:
 *
 * 1. The layers are in one block and have the same input, which nobody writes: so all can be where the first is.
 * 2. Weights and biases are constants of one dtype; either all have a bias or none.
 * 3. Nobody writes a result, and nobody asks for how it lies in memory (`view`, `stride`, …, through views of it too):
 *    it is a slice of a larger tensor now.
 * 4. One layer with the weights and biases one below the other stands where the first stood, and
 *    `slice(dim=-1, start, end)` of its result where each of them stood.
 *
 * Every sum is the one it was; which way a backend adds it up may depend on the size of the product, so the last bits
 * may differ.
 */
export const concatLinears = definePass({
  name: 'concat-linears',
  summary: 'Computes frozen linear layers on the same input as one.',
  changesNumerics: true,
  run(graph, cx) {
    const aliases = new Aliases(graph, cx)
    for (const group of groupsOf(graph, cx))
      for (const layers of alikeLayers(group, aliases, cx)) join(layers, cx)
  },
})

/** Linear layers by block and input, where there is more than one. */
function groupsOf(graph: Graph, cx: PassContext): Node[][] {
  const groups = new Map<Block, Map<Value, Node[]>>()
  for (const node of graph.nodes()) {
    if (roleOf(node, cx) !== 'linear') continue
    const ofBlock = groups.get(node.owningBlock) ?? new Map<Value, Node[]>()
    groups.set(node.owningBlock, ofBlock)
    const group = ofBlock.get(node.input()) ?? []
    ofBlock.set(node.input(), [...group, node])
  }
  return [...groups.values()].flatMap((ofBlock) => [...ofBlock.values()]).filter((group) => group.length > 1)
}

/** The layers of a group that can be joined, in order, by dtype and whether they have a bias. */
function alikeLayers(group: readonly Node[], aliases: Aliases, cx: PassContext): Layer[][] {
  const alike = new Map<string, Layer[]>()
  for (const node of group) {
    const layer = readLayer(node, cx)
    const reason = typeof layer === 'string' ? layer : whyNot(node, aliases, cx)
    if (reason !== undefined || typeof layer === 'string') cx.miss(node, reason ?? '')
    else {
      const key = [layer.weight.dtype, layer.weight.sizes[1], layer.bias !== null].join()
      alike.set(key, [...(alike.get(key) ?? []), layer])
    }
  }
  return [...alike.values()].filter((layers) => layers.length > 1)
}

function whyNot(node: Node, aliases: Aliases, cx: PassContext): string | undefined {
  const written = [node.input(), node.output()].find((value) => aliases.hasValueWriters(value))
  if (written) return `%${written.debugName} is written`
  const asking = layoutUser(node.output(), cx)
  return asking && `${asking.kind} asks how %${node.output().debugName} lies in memory`
}

/** Operators that fail, or answer otherwise, on memory that has gaps. */
const asksForLayout = new Set(
  'view view_as _unsafe_view as_strided stride is_contiguous storage_offset data_ptr view_as_complex set_'
    .split(' ')
    .map((name) => `aten::${name}`),
)

/** A user of the value, or of a view of it, that asks for its layout. */
function layoutUser(start: Value, cx: PassContext): Node | undefined {
  const seen = new Set([start])
  for (const value of seen)
    for (const { user, offset } of value.uses) {
      if (asksForLayout.has(user.kind)) return user
      const schema = cx.schemaOf(user)
      if (schema === undefined || schema.arguments[offset]?.alias !== undefined)
        for (const output of user.outputs) if (output.type.kind === 'Tensor') seen.add(output)
    }
  return undefined
}

function join(layers: readonly Layer[], cx: PassContext): void {
  const first = (layers[0] as Layer).node
  cx.rewrite(first, `computes ${layers.length} linear layers at once`, (edit) => {
    const result = insertJoined(edit, first, layers)
    const dim = insertValue(edit, -1, first.range)
    const step = insertValue(edit, 1, first.range)
    let [at, start] = [0, insertValue(edit, 0, first.range)]
    for (const { node, channels } of layers) {
      const end = insertValue(edit, (at += channels), first.range)
      const bounds = [dim, start, end, step]
      const slice = edit.at(node, () =>
        edit.insert('aten::slice', [result, ...bounds], { range: node.range }),
      )
      edit.replaceAllUses(node.output(), slice.output())
      edit.copyMetadata(node.output(), slice.output())
      start = end
    }
    for (const { node } of layers) edit.destroy(node)
  })
}

function insertJoined(edit: GraphEditor, { range, inputs }: Node, layers: readonly Layer[]): Value {
  const [input] = inputs as readonly [Value]
  const biases = layers.flatMap(({ bias }) => bias ?? [])
  const weight = insertValue(
    edit,
    cat(
      layers.map((layer) => layer.weight),
      0,
    ),
    range,
  )
  const bias = insertValue(edit, biases.length > 0 ? cat(biases, 0) : null, range)
  return edit.insert('aten::linear', [input, weight, bias], { range }).output()
}
