import { describe, expect, it } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { attributeOf, GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Node, type Value } from '../ir/graph.ts'
import { Double, List, type IValue } from '../ir/ivalue.ts'
import { IntT, TensorT } from '../ir/types.ts'
import { cloneAs, contiguous, convert } from '../ops/tensor-access.ts'
import { runGraph } from '../runtime/interpreter.ts'
import type { DType } from '../tensor/dtype.ts'
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

  /** Gives every constant tensor among those inputs of the node another dtype. */
  const recast = (node: Node | undefined, offsets: readonly number[], dtype: DType): void => {
    for (const offset of offsets) {
      const value = node && constantOf(node.input(offset))
      if (node && value instanceof Tensor) {
        const edit = new GraphEditor(node.graph)
        edit.setAttribute(node.input(offset).node, 'value', attributeOf(convert(value, dtype)))
      }
    }
  }

  it.each([
    ['float64 statistics behind float32 weights', 'float32', 'float64'],
    ['float32 statistics behind float64 weights', 'float64', 'float32'],
    ['bfloat16 statistics behind float32 weights', 'float32', 'bfloat16'],
    ['bfloat16 statistics behind float16 weights', 'float16', 'bfloat16'],
  ] as const)('leaves %s, which eager refuses, to be refused', (_what, weights, statistics) => {
    const graph = convThenNorm(cases[4] as Case)
    recast([...graph.nodes('aten::conv2d')][0], [1, 2], weights)
    recast([...graph.nodes('aten::batch_norm')][0], [1, 2, 3, 4], statistics)
    const reasons: string[] = []
    runPasses(graph, [foldConvBatchNorm], { onEvent: ({ why }) => reasons.push(why) })
    expect(reasons).toEqual(['weights and statistics differ in dtype'])
    const x = convert(noise([2, 3, 5, 5], 9), weights)
    expect(() => run(graph, x)).toThrow(/should be the same/)
  })

  it.each(['float16', 'bfloat16'] as const)(
    'folds float32 statistics into %s weights: the result has the dtype that eager gives',
    (dtype) => {
      const graph = convThenNorm(cases[4] as Case)
      recast([...graph.nodes('aten::conv2d')][0], [1, 2], dtype)
      runPasses(graph, [foldConvBatchNorm], { verify: true })
      expect([...graph.nodes('aten::batch_norm')]).toEqual([])
      expect(run(graph, convert(noise([2, 3, 5, 5], 9), dtype)).dtype).toBe(dtype)
    },
  )

  it('leaves float16 weights that would lose digits or become infinite', () => {
    for (const variance of [1e-12, 1e12]) {
      const graph = convThenNorm(cases[4] as Case)
      const [conv, norm] = [[...graph.nodes('aten::conv2d')][0], [...graph.nodes('aten::batch_norm')][0]]
      recast(conv, [1, 2], 'float16')
      const edit = new GraphEditor(graph)
      const statistics = Tensor.from('float32', [4], [variance, variance, variance, variance])
      if (norm) edit.setAttribute(norm.input(4).node, 'value', attributeOf(statistics))
      if (norm) edit.setAttribute(norm.input(7).node, 'value', attributeOf(new Double(0)))
      const reasons: string[] = []
      runPasses(graph, [foldConvBatchNorm], { onEvent: ({ why }) => reasons.push(why) })
      expect(reasons).toEqual(['the new weights would be too large or too small for float16'])
    }
  })

  it('folds a weight that two convolutions share once for each of them', () => {
    const graph = convThenNorm(cases[4] as Case)
    const [conv, norm] = [[...graph.nodes('aten::conv2d')][0], [...graph.nodes('aten::batch_norm')][0]]
    if (!conv || !norm) throw new TypeError('nothing to fold')
    const edit = new GraphEditor(graph)
    const second = edit.insert('aten::conv2d', conv.inputs)
    const [x] = conv.inputs
    const other = edit.insert('aten::batch_norm', [second.output(), ...norm.inputs.slice(1)])
    const sum = edit.insert('aten::add', [norm.output(), other.output(), edit.insertConstant(1, IntT)])
    const plain = edit.insert('aten::conv2d', [x as Value, ...conv.inputs.slice(1)])
    edit.replaceInput(graph.block.returnNode, 0, sum.output())
    edit.addBlockOutput(graph.block, plain.output())
    const input = noise([2, 3, 5, 5], 9)
    const before = runGraph(graph, [input])
    runPasses(graph, [foldConvBatchNorm], { verify: true })
    expect([...graph.nodes('aten::batch_norm')]).toEqual([])
    const after = runGraph(graph, [input])
    for (const [i, tensor] of before.entries()) {
      const got = after[i]
      if (!(tensor instanceof Tensor && got instanceof Tensor)) throw new TypeError('no tensor')
      for (let at = 0; at < tensor.numel; at++) expect(got.data[at]).toBeCloseTo(Number(tensor.data[at]), 5)
    }
  })

  it('keeps the order of the weight in memory: channels last stays channels last', () => {
    const graph = convThenNorm(cases[4] as Case)
    const conv = [...graph.nodes('aten::conv2d')][0]
    const weight = conv && constantOf(conv.input(1))
    if (!conv || !(weight instanceof Tensor)) throw new TypeError('nothing to fold')
    const before = run(graph, noise([2, 3, 5, 5], 9))
    const lastly = cloneAs(weight, weight.dtype, [27, 1, 9, 3])
    new GraphEditor(graph).setAttribute(conv.input(1).node, 'value', attributeOf(lastly))
    runPasses(graph, [foldConvBatchNorm])
    const folded = constantOf(conv.input(1))
    expect(folded instanceof Tensor && folded.strides).toEqual([27, 1, 9, 3])
    const after = contiguous(run(graph, noise([2, 3, 5, 5], 9)))
    for (let i = 0; i < before.numel; i++) expect(after.data[i]).toBeCloseTo(Number(before.data[i]), 5)
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
