import type { Node, Value } from '../../ir/graph.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { CallArguments } from './call-arguments.ts'
import { argument, type MemoryDescriptor, type Primitive } from './binding/dnnl.ts'
import { axisInnermost, denseOrCopied, isSlow, rowMajor, rowMajorOf } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import type { StepArgument } from './step.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { PlanBuffer, type Placement } from './placement.ts'

/** Softmax and its logarithm along any dimension. */
const lowerSoftmax: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const [input, dim] = [args.tensor('self'), args.number('dim')]
  if (!input || dim === undefined) return 'its dimension is not constant'
  const tensor = lowering.tensorOf(input)
  if (tensor.dtype !== 'float32' || lowering.tensorOf(node.output()).dtype !== 'float32')
    return 'no kernel for its dtypes'
  if (tensor.dim === 0) return 'it has no dimension'
  const axis = dim < 0 ? dim + tensor.dim : dim
  const create = (data: MemoryDescriptor): Primitive | undefined =>
    lowering.tryCreate({ kind: 'softmax', logarithm: node.kind.includes('log'), axis, data })
  const plain = rowMajor(lowering, tensor.sizes)
  const primitive = create(plain)
  if (!primitive || !isSlow(primitive))
    return addUnary(node, lowering, primitive, lowering.in(input, plain), [])
  // The library has only plain loops but along what is innermost in memory.
  const innermost = axisInnermost(lowering, tensor.sizes, axis)
  primitive.dispose()
  return addUnary(node, lowering, create(innermost), lowering.in(input, innermost), [])
}

/** Over the last dimension. */
const lowerLayerNorm: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const [input, shape, epsilon] = [
    args.tensor('input'),
    args.numbers('normalized_shape', 1),
    args.number('eps'),
  ]
  if (!input || shape?.length !== 1 || epsilon === undefined) return 'it normalises over several dimensions'
  const tensor = lowering.tensorOf(input)
  if (tensor.dtype !== 'float32') return `no kernel for ${tensor.dtype}`
  if (tensor.dim < 2 || tensor.dim > 5) return 'its input has too many dimensions, or too few'
  const [channels = 1] = shape
  const source = rowMajorOf(lowering, input)
  const primitive = lowering.tryCreate({ kind: 'layer normalisation', epsilon, data: source.descriptor })
  return addUnary(node, lowering, primitive, source, [
    parameter(lowering, argument.scale, args.tensor('weight'), channels, 1),
    parameter(lowering, argument.shift, args.tensor('bias'), channels, 0),
  ])
}

/** By its running statistics, in whatever layout the input is in; a ReLU behind it is done on the way. */
const lowerBatchNorm: LoweringRule = (node, lowering, { epilogues }) => {
  const args = new CallArguments(node, lowering)
  const [input, mean, variance] = [
    args.tensor('input'),
    args.tensor('running_mean'),
    args.tensor('running_var'),
  ]
  const epsilon = args.number('eps')
  if (!input || !mean || !variance || epsilon === undefined || args.number('training') !== 0)
    return 'it may train'
  const tensor = lowering.tensorOf(input)
  if (tensor.dtype !== 'float32') return `no kernel for ${tensor.dtype}`
  if (tensor.dim < 2 || tensor.dim > 5) return 'its input has too many dimensions'
  const [first] = epilogues
  const relu = first?.kind === 'eltwise' && first.node.kind === 'aten::relu'
  if (epilogues.length > (relu ? 1 : 0)) return 'the library has no such epilogue'
  const source = denseOrCopied(lowering, input)
  const primitive = lowering.tryCreate({
    kind: 'batch normalisation',
    statistics: 'given',
    epsilon,
    relu,
    data: source.descriptor,
  })
  const channels = tensor.sizes[1] ?? 1
  const last = relu ? first.node : node
  return addUnary(
    last,
    lowering,
    primitive,
    source,
    [
      { argument: argument.mean, placement: lowering.home(mean) },
      { argument: argument.variance, placement: lowering.home(variance) },
      parameter(lowering, argument.scale, args.tensor('weight'), channels, 1),
      parameter(lowering, argument.shift, args.tensor('bias'), channels, 0),
    ],
    relu ? [node, last] : [node],
  )
}

/** A vector of scales or shifts; `missing` everywhere where there is none. */
export function parameter(
  lowering: Lowering,
  number: number,
  value: Value | undefined,
  count: number,
  missing: number,
): StepArgument {
  const descriptor = lowering.dnnl.describe('float32', [count], [1])
  if (value) return { argument: number, placement: { ...lowering.home(value), descriptor } }
  const constant = Tensor.from('float32', [count], new Array<number>(count).fill(missing))
  return {
    argument: number,
    placement: { descriptor, buffer: PlanBuffer.constant(constant.storage.bytes), offset: 0 },
  }
}

function addUnary(
  node: Node,
  lowering: Lowering,
  primitive: Primitive | undefined,
  source: Placement,
  parameters: readonly StepArgument[],
  nodes: readonly Node[] = [node],
): string | undefined {
  if (primitive === undefined) return 'the library has no such normalisation'
  const destination = lowering.allocate(source.descriptor)
  lowering.add(
    primitive,
    nodes,
    [{ argument: argument.source, placement: source }, ...parameters],
    destination,
  )
  lowering.define(node.output(), destination)
  return undefined
}

export const normalizationRules: Readonly<Record<string, LoweringRule>> = {
  'aten::softmax': lowerSoftmax,
  'aten::_softmax': lowerSoftmax,
  'aten::log_softmax': lowerSoftmax,
  'aten::_log_softmax': lowerSoftmax,
  'aten::layer_norm': lowerLayerNorm,
  'aten::batch_norm': lowerBatchNorm,
}
