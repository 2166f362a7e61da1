import { describe, expect, it } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { attributeOf, GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Value } from '../ir/graph.ts'
import { Double, List, type IValue } from '../ir/ivalue.ts'
import { IntT, TensorT } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { foldConvBatchNorm } from './fold-conv-batch-norm.ts'
import { runPasses } from './pass-manager.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { constantOf } from './support/constants.ts'
import { defaultServices } from './support/services.ts'

interface Case {
  readonly kind: string
  readonly input: readonly number[]
  readonly weight: readonly number[]
  readonly channels: number
  readonly groups: number
  readonly bias: boolean
  readonly affine: boolean
}

/** `batch_norm(conv(x))` with everything but x constant. */
function convThenNorm(test: Case): Graph {
  const graph = new Graph()
  const edit = new GraphEditor(graph)
  const constant = (value: IValue): Value => edit.insertConstant(value, typeOfValue(value))
  const vector = (seed: number, low = -1, high = 1): Value =>
    constant(noise([test.channels], seed, low, high))
  const list = (value: number): Value =>
    constant(new List(new Array<IValue>(test.input.length - 2).fill(value), IntT))
  const x = edit.addBlockInput(graph.block)
  const bias = test.bias ? vector(2) : constant(null)
  const isTransposed = test.kind.includes('transpose')
  const tail = isTransposed
    ? [list(1), list(0), list(0), constant(test.groups), list(1)]
    : [list(1), list(0), list(1), constant(test.groups)]
  const conv = edit.insert(test.kind, [x, constant(noise(test.weight, 1)), bias, ...tail])
  const affine = test.affine ? [vector(3, 0.5, 2), vector(4)] : [constant(null), constant(null)]
  const statistics = [vector(5), vector(6, 0.5, 2)]
  const flags = [constant(false), constant(new Double(0.1)), constant(new Double(1e-3)), constant(true)]
  const norm = edit.insert('aten::batch_norm', [conv.output(), ...affine, ...statistics, ...flags])
  edit.addBlockOutput(graph.block, norm.output())
  return graph
}

/** Runs a graph of plain operators, the way the interpreter does. */
function run(graph: Graph, x: Tensor): Tensor {
  const values = new Map<Value, IValue>([[graph.block.paramNode.output(), x]])
  for (const node of graph.nodes()) {
    if (node.kind === 'prim::Constant') continue
    const inputs = node.inputs.map((input) => values.get(input) ?? constantOf(input) ?? null)
    const results = defaultServices.evaluate(node, inputs)
    node.outputs.forEach((output, i) => values.set(output, results?.[i] ?? null))
  }
  const result = values.get(graph.block.returnNode.input())
  if (result instanceof Tensor) return result
  throw new TypeError('the graph gave no tensor')
}

const shapes: readonly Omit<Case, 'bias' | 'affine'>[] = [
  { kind: 'aten::conv1d', input: [1, 4, 7], weight: [6, 2, 3], channels: 6, groups: 2 },
  { kind: 'aten::conv2d', input: [2, 3, 5, 5], weight: [4, 3, 3, 3], channels: 4, groups: 1 },
  { kind: 'aten::conv2d', input: [1, 4, 5, 5], weight: [4, 1, 3, 3], channels: 4, groups: 4 },
  { kind: 'aten::conv3d', input: [1, 2, 4, 4, 4], weight: [3, 2, 2, 2, 2], channels: 3, groups: 1 },
  { kind: 'aten::conv_transpose1d', input: [1, 4, 5], weight: [4, 3, 3], channels: 6, groups: 2 },
  { kind: 'aten::conv_transpose2d', input: [1, 4, 5, 5], weight: [4, 3, 3, 3], channels: 3, groups: 1 },
]
const cases = shapes.flatMap((shape) =>
  [true, false].flatMap((bias) => [true, false].map((affine): Case => ({ ...shape, bias, affine }))),
)

describe('fold-conv-batch-norm', () => {
  it.each(cases)('folds into $kind with groups $groups, bias $bias, affine $affine', (test) => {
    const graph = convThenNorm(test)
    const x = noise(test.input, 9)
    const before = run(graph, x)
    runPasses(graph, [foldConvBatchNorm], { verify: true })
    expect([...graph.nodes('aten::batch_norm')]).toEqual([])
    const after = run(graph, x)
    expect(after.sizes).toEqual(before.sizes)
    for (let i = 0; i < before.numel; i++) expect(after.data[i]).toBeCloseTo(Number(before.data[i]), 5)
  })

  it('leaves a convolution alone that somebody else uses', () => {
    const graph = convThenNorm(cases[4] as Case)
    const conv = [...graph.nodes('aten::conv2d')][0]
    if (conv) new GraphEditor(graph).addBlockOutput(graph.block, conv.output())
    const reasons: string[] = []
    runPasses(graph, [foldConvBatchNorm], { onEvent: ({ why }) => reasons.push(why) })
    expect(reasons).toEqual([expect.stringMatching(/has other uses$/)])
  })

  it('leaves a batch norm alone that may train', () => {
    const graph = convThenNorm(cases[4] as Case)
    const norm = [...graph.nodes('aten::batch_norm')][0]
    if (norm) new GraphEditor(graph).setAttribute(norm.input(5).node, 'value', attributeOf(true))
    expect(runPasses(graph, [foldConvBatchNorm])).toMatchObject([{ rewrites: 0, misses: 1 }])
  })

  it('leaves weights alone that are no constants', () => {
    const graph = convThenNorm(cases[4] as Case)
    const conv = [...graph.nodes('aten::conv2d')][0]
    const edit = new GraphEditor(graph)
    if (conv) edit.replaceInput(conv, 1, edit.addBlockInput(graph.block, TensorT))
    const reasons: string[] = []
    runPasses(graph, [foldConvBatchNorm], { onEvent: ({ why }) => reasons.push(why) })
    expect(reasons).toEqual(['a weight or bias is no constant; freeze first'])
  })
})
