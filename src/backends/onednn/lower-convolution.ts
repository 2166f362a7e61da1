import type { Node, Value } from '../../ir/graph.ts'
import type { ConvolutionOperation } from './convolution-tuner.ts'
import { CallArguments } from './call-arguments.ts'
import { argument, type MemoryDescriptor, type PostOperation, type Primitive } from './binding/dnnl.ts'
import { addKernel, finishWith } from './kernel.ts'
import { channelsLast, isChannelsLast, isSlow } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import type { StepArgument } from './step.ts'
import { geometryOf, weightSizes, type Geometry } from './convolution-geometry.ts'
import type { LoweringRule } from './lowering-rules.ts'

/** Convolutions of one to three dimensions, forward and transposed, with their epilogues. */
export const lowerConvolution: LoweringRule = (node, lowering, { epilogues, mayOverwrite }) => {
  const args = new CallArguments(node, lowering)
  const [input, weight] = [args.tensor('input'), args.tensor('weight')]
  if (!input || !weight) return 'its operands are no tensors'
  const bias = args.tensor('bias')
  const source = lowering.tensorOf(input)
  const weights = lowering.tensorOf(weight)
  if (source.dtype !== 'float32' || weights.dtype !== 'float32') return `no kernel for ${source.dtype}`
  if (source.dim !== weights.dim || source.dim < 3) return 'the input has no batch dimension'
  const geometry = geometryOf(args, source.sizes, weights.sizes)
  if (geometry === undefined) return 'its geometry is not constant'
  const result = lowering.tensorOf(node.output())
  const { groups, ...windows } = geometry
  const preferred: ConvolutionOperation = {
    kind: 'convolution',
    algorithm: 'direct',
    ...windows,
    source: sourceLayout(lowering, input),
    weights: lowering.dnnl.describe(
      'float32',
      weightSizes(weights.sizes, groups, geometry.transposed),
      'any',
    ),
    bias: bias && lowering.plain(lowering.tensorOf(bias)),
    destination: isChannelsLast(lowering.current(input).descriptor)
      ? channelsLast(lowering, result.sizes)
      : lowering.any(result),
  }
  const operation = tuned(preferred, input, epilogues.at(-1)?.node ?? node, lowering)
  const chosen = lowering.tryCreate(operation)
  if (chosen === undefined) return 'the library has no convolution for it'
  const destination = chosen.descriptor('destination')
  const layouts = { source: chosen.descriptor('source'), weights: chosen.descriptor('weights'), destination }
  const finish = finishWith(lowering, epilogues, destination, mayOverwrite)
  const primitive =
    finish.postOperations.length === 0
      ? chosen
      : lowering.tryCreate({ ...operation, ...layouts }, finish.postOperations)
  if (
    primitive === undefined ||
    (isSlow(primitive) && !isSlow(chosen)) ||
    isWrong(primitive, finish.postOperations)
  ) {
    if (primitive !== chosen) primitive?.dispose()
    chosen.dispose()
    return 'the library has no fast kernel with such an epilogue'
  }
  if (primitive !== chosen) chosen.dispose()
  const inputs: StepArgument[] = [
    { argument: argument.source, placement: lowering.in(input, layouts.source) },
    {
      argument: argument.weights,
      placement: placeWeights(lowering, node, weight, layouts.weights, geometry),
    },
  ]
  if (bias) inputs.push({ argument: argument.bias, placement: lowering.home(bias) })
  addKernel(
    lowering,
    node,
    epilogues,
    primitive,
    inputs,
    finish,
    finish.accumulator ?? lowering.allocate(destination),
  )
  return undefined
}

/**
 * The library's depthwise `brdgmm` (2.6.3) leaves out the channels behind the last whole block where it adds, or multiplies by,
 * an operand of the result's own sizes.
 */
function isWrong(primitive: Primitive, postOperations: readonly PostOperation[]): boolean {
  if (!primitive.implementation.startsWith('brdgmm')) return false
  const sizes = primitive.descriptor('destination').sizes.join()
  return postOperations.some((each) => each.kind === 'binary' && each.operand.sizes.join() === sizes)
}

/** The fastest variant where the plan is tuned. @param last node of the step, which gives its result */
function tuned(
  operation: ConvolutionOperation,
  input: Value,
  last: Node,
  lowering: Lowering,
): ConvolutionOperation {
  const { tuner } = lowering.choices
  if (tuner === undefined) return operation
  const any = (descriptor: MemoryDescriptor): MemoryDescriptor =>
    lowering.dnnl.describe(descriptor.dtype, descriptor.sizes, 'any')
  const free = { ...operation, source: any(operation.source), destination: any(operation.destination) }
  const feedsConcat = last.output().uses.some(({ user }) => user.kind === 'prim::ListConstruct')
  return tuner.choose(free, { source: lowering.current(input).descriptor, feedsConcat })
}

/** What lies channels-last stays so: it came from, or goes to, operators on the last dimension. */
function sourceLayout(lowering: Lowering, input: Value): MemoryDescriptor {
  const { descriptor } = lowering.current(input)
  return isChannelsLast(descriptor)
    ? channelsLast(lowering, descriptor.sizes)
    : lowering.any(lowering.tensorOf(input))
}

/** Packed now where they are constant, at every run where they are computed. */
function placeWeights(
  lowering: Lowering,
  node: Node,
  weight: Value,
  wanted: MemoryDescriptor,
  { groups, transposed }: Geometry,
): StepArgument['placement'] {
  if (!transposed && groups === 1) return lowering.in(weight, wanted)
  const tensor = lowering.tensorOf(weight)
  const [first = 1, ...rest] = tensor.strides
  const perGroup = (first * tensor.sizes[0]!) / groups
  const [second = 1, ...kernel] = rest
  const inner = transposed ? [second, first, ...kernel] : [first, second, ...kernel]
  const strides = groups === 1 ? inner : [perGroup, ...inner]
  const plain = lowering.dnnl.describe('float32', wanted.sizes, strides)
  if (!tensor.isMeta) return lowering.packed(tensor, wanted, plain)
  const placement = lowering.allocate(wanted)
  lowering.reorder({ ...lowering.home(weight), descriptor: plain }, placement, node)
  return placement
}
