import type { Node, Value } from '../../ir/graph.ts'
import { contiguousStrides, type Tensor } from '../../tensor/tensor.ts'
import { CallArguments } from './call-arguments.ts'
import { argument, type MemoryDescriptor, type Operation } from './binding/dnnl.ts'
import { addKernel, finishWith } from './kernel.ts'
import type { Lowering } from './lowering.ts'
import type { StepArgument } from './step.ts'
import type { LoweringRequest, LoweringRule } from './lowering-rules.ts'
import type { Placement } from './placement.ts'

interface Product {
  readonly source: Placement
  readonly weights: Placement | { readonly value: Value; readonly plain: MemoryDescriptor }
  /** Of one dimension. */
  readonly bias: Value | undefined
  /** Sizes in which the library computes; the result's own are a look at it. */
  readonly sizes: readonly number[]
}

/** `linear`: rows of the input times the transposed weight; constant weights in the library's own layout. */
const lowerLinear: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const [input, weight, bias] = [args.tensor('input'), args.tensor('weight'), args.tensor('bias')]
  if (!input || !weight) return 'its operands are no tensors'
  const [x, w] = [lowering.tensorOf(input), lowering.tensorOf(weight)]
  if (w.dim !== 2 || x.dim === 0 || x.numel === 0) return 'its weight is no matrix'
  const rows = rowsOf(lowering, input, x)
  if (rows === undefined) return 'its rows do not lie one behind the other'
  const [outputs = 1, inputs = 1] = w.sizes
  const [stepOut = 1, stepIn = 1] = w.strides
  const plain = lowering.dnnl.describe(w.dtype, [inputs, outputs], [stepIn, stepOut])
  return multiply(node, lowering, request, {
    source: rows,
    weights: { value: weight, plain },
    bias,
    sizes: [x.numel / inputs, outputs],
  })
}

/** `… × inputs` as a matrix, wherever the value lies in that way already. */
function rowsOf(lowering: Lowering, input: Value, tensor: Tensor): Placement | undefined {
  const inputs = tensor.sizes.at(-1) ?? 1
  const sizes = [tensor.numel / inputs, inputs]
  const asRows = (placement: Placement): Placement => ({
    ...placement,
    descriptor: lowering.dnnl.describe(tensor.dtype, sizes, [inputs, 1]),
  })
  const dense = lowering.dnnl.describe(tensor.dtype, tensor.sizes, contiguousStrides(tensor.sizes))
  return asRows(lowering.in(input, dense))
}

/** `matmul`, `bmm`, `mm`, of as many dimensions on both sides. */
const lowerMatmul: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const [left, right] = [args.tensor('self'), args.tensor('other') ?? args.tensor('mat2')]
  if (!left || !right) return 'its operands are no tensors'
  const [a, b] = [lowering.tensorOf(left), lowering.tensorOf(right)]
  if (a.dim < 2 || a.dim !== b.dim) return 'its operands have different numbers of dimensions'
  return multiply(node, lowering, request, {
    source: matrixPlacement(lowering, left),
    weights: matrixPlacement(lowering, right),
    bias: undefined,
    sizes: lowering.tensorOf(node.output()).sizes,
  })
}

/** Matrices whose rows or columns are contiguous and do not overlap; copied where neither is so. */
function matrixPlacement(lowering: Lowering, value: Value): Placement {
  const tensor = lowering.tensorOf(value)
  const current = lowering.current(value)
  const { sizes, strides } = current.descriptor
  const lie = (inner: number, outer: number): boolean =>
    strides?.at(inner) === 1 && (sizes.at(outer) === 1 || strides.at(outer)! >= sizes.at(inner)!)
  if (lie(-1, -2) || lie(-2, -1)) return current
  return lowering.in(
    value,
    lowering.dnnl.describe(tensor.dtype, tensor.sizes, contiguousStrides(tensor.sizes)),
  )
}

/** `addmm(bias, input, weight)` with a bias of one dimension. */
const lowerAddmm: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const [bias, left, right] = [args.tensor('self'), args.tensor('mat1'), args.tensor('mat2')]
  if (!bias || !left || !right) return 'its operands are no tensors'
  if (args.number('beta') !== 1 || args.number('alpha') !== 1) return 'it scales its operands'
  const result = lowering.tensorOf(node.output())
  const added = lowering.tensorOf(bias)
  if (added.dim !== 1 || added.numel !== result.sizes[1]) return 'its first operand is no bias'
  const weights = lowering.tensorOf(right)
  return multiply(node, lowering, request, {
    source: matrixPlacement(lowering, left),
    weights: { value: right, plain: lowering.plain(weights) },
    bias,
    sizes: result.sizes,
  })
}

function multiply(
  node: Node,
  lowering: Lowering,
  { epilogues, mayOverwrite }: LoweringRequest,
  { source, weights, bias, sizes }: Product,
): string | undefined {
  const { dnnl } = lowering
  if (source.descriptor.dtype !== 'float32') return `no kernel for ${source.descriptor.dtype}`
  const isConstant = 'value' in weights && !lowering.tensorOf(weights.value).isMeta
  const wanted = !('value' in weights)
    ? weights.descriptor
    : isConstant
      ? dnnl.describe('float32', weights.plain.sizes, 'any')
      : weights.plain
  const destination = dnnl.describe('float32', sizes, contiguousStrides(sizes))
  const operation: Operation = {
    kind: 'matmul',
    source: source.descriptor,
    weights: wanted,
    bias: bias && biasDescriptor(lowering, bias, sizes.length),
    destination,
  }
  const result = lowering.tensorOf((epilogues.at(-1)?.node ?? node).output())
  const sameSizes = result.sizes.join() === sizes.join()
  const usable = sameSizes || epilogues.every((epilogue) => epilogue.kind === 'eltwise')
  if (!usable) return 'its epilogue has other dimensions'
  const finish = finishWith(lowering, epilogues, destination, mayOverwrite)
  const primitive = lowering.tryCreate(operation, finish.postOperations)
  if (primitive === undefined) return 'the library has no such product'
  const inputs: StepArgument[] = [
    { argument: argument.source, placement: source },
    {
      argument: argument.weights,
      placement: placeWeights(lowering, weights, primitive.descriptor('weights')),
    },
  ]
  if (bias) {
    const placement = { ...lowering.home(bias), descriptor: biasDescriptor(lowering, bias, sizes.length) }
    inputs.push({ argument: argument.bias, placement })
  }
  const placement = finish.accumulator ?? lowering.allocate(destination)
  const seen = sameSizes
    ? destination
    : dnnl.describe('float32', result.sizes, contiguousStrides(result.sizes))
  addKernel(lowering, node, epilogues, primitive, inputs, finish, placement, seen)
  return undefined
}

function biasDescriptor(lowering: Lowering, bias: Value, rank: number): MemoryDescriptor {
  const { numel } = lowering.tensorOf(bias)
  const sizes = [...new Array<number>(rank - 1).fill(1), numel]
  return lowering.dnnl.describe('float32', sizes, contiguousStrides(sizes))
}

function placeWeights(lowering: Lowering, weights: Product['weights'], wanted: MemoryDescriptor): Placement {
  if (!('value' in weights)) return weights
  const tensor = lowering.tensorOf(weights.value)
  return tensor.isMeta
    ? { ...lowering.home(weights.value), descriptor: weights.plain }
    : lowering.packed(tensor, wanted, weights.plain)
}

export const matrixProductRules: Readonly<Record<string, LoweringRule>> = {
  'aten::linear': lowerLinear,
  'aten::matmul': lowerMatmul,
  'aten::bmm': lowerMatmul,
  'aten::mm': lowerMatmul,
  'aten::addmm': lowerAddmm,
}
