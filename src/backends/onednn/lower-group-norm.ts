import type { Node, Value } from '../../ir/graph.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { argument, type MemoryDescriptor, type Operation, type PostOperation } from './binding/dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import { resultOf } from './kernel.ts'
import { imagesOrCopied, rowMajor } from './layout-choices.ts'
import { parameter } from './lower-normalization.ts'
import type { Lowering } from './lowering.ts'
import type { LoweringRequest, LoweringRule } from './lowering-rules.ts'
import { PlanBuffer, type Placement } from './placement.ts'
import type { StepArgument } from './step.ts'

interface GroupNorm {
  readonly input: Value
  readonly groups: number
  readonly weight: Value | undefined
  readonly bias: Value | undefined
  readonly epsilon: number
}

const lowerGroupNorm: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const [input, groups, epsilon] = [args.tensor('input'), args.number('num_groups'), args.number('eps')]
  if (!input || !groups || epsilon === undefined) return 'its groups are not constant'
  const [weight, bias] = [args.tensor('weight'), args.tensor('bias')]
  return normalize(node, lowering, request, { input, groups, weight, bias, epsilon })
}

/** Every channel is a group. */
const lowerInstanceNorm: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const [input, epsilon] = [args.tensor('input'), args.number('eps')]
  if (!input || epsilon === undefined) return 'its operand is no tensor'
  if (args.number('use_input_stats') !== 1 || args.tensor('running_mean')) return 'it has running statistics'
  const [weight, bias] = [args.tensor('weight'), args.tensor('bias')]
  const groups = lowering.tensorOf(input).sizes[1] ?? 1
  return normalize(node, lowering, request, { input, groups, weight, bias, epsilon })
}

/**
 * Group norm (Wu and He 2018) by batch norms of one image each, in whatever layout it is in: the library finds mean and
 * variance of each channel, those of a group follow from them (the law of total variance), and a second batch norm uses them.
 * A ReLU behind it is done on the way.
 */
function normalize(
  node: Node,
  lowering: Lowering,
  { epilogues }: LoweringRequest,
  norm: GroupNorm,
): string | undefined {
  const tensor = lowering.tensorOf(norm.input)
  if (tensor.dtype !== 'float32') return `no kernel for ${tensor.dtype}`
  if (tensor.dim < 3 || tensor.dim > 5 || tensor.numel === 0) return 'the library normalises no such tensors'
  const [first] = epilogues
  const relu = first?.kind === 'eltwise' && first.node.kind === 'aten::relu'
  if (epilogues.length > (relu ? 1 : 0)) return 'the library has no such epilogue'
  const source = imagesOrCopied(lowering, norm.input)
  const destination = lowering.allocate(source.descriptor)
  const nodes = [node, ...epilogues.map((epilogue) => epilogue.node)]
  const images = new ImageNorm(lowering, nodes, norm, relu)
  for (let image = 0; image < tensor.sizes[0]!; image++)
    images.add(imageOf(lowering, source, image), imageOf(lowering, destination, image))
  lowering.define(resultOf(node, epilogues), destination)
  return undefined
}

/** One image of a batch. */
function imageOf(lowering: Lowering, { descriptor, buffer, offset }: Placement, image: number): Placement {
  const { sizes, strides, layout, byteLength } = descriptor
  const known = strides ?? (layout?.kind === 'blocked' ? layout : undefined)
  const bytes = strides ? 4 * strides[0]! : byteLength / sizes[0]!
  return {
    descriptor: lowering.dnnl.describe('float32', sizes.with(0, 1), known ?? 'any'),
    buffer,
    offset: offset + image * bytes,
  }
}

class ImageNorm {
  readonly #lowering: Lowering
  readonly #nodes: readonly Node[]
  readonly #norm: GroupNorm
  readonly #relu: boolean
  readonly #channels: number

  constructor(lowering: Lowering, nodes: readonly Node[], norm: GroupNorm, relu: boolean) {
    this.#lowering = lowering
    this.#nodes = nodes
    this.#norm = norm
    this.#relu = relu
    this.#channels = lowering.tensorOf(norm.input).sizes[1]!
  }

  add(source: Placement, destination: Placement): void {
    const { weight, bias, groups } = this.#norm
    const parameters = [
      parameter(this.#lowering, argument.scale, weight, this.#channels, 1),
      parameter(this.#lowering, argument.shift, bias, this.#channels, 0),
    ]
    if (groups === this.#channels) this.#batchNorm('own', source, destination, parameters)
    else this.#batchNorm('given', source, destination, [...this.#moments(source, destination), ...parameters])
  }

  #batchNorm(
    statistics: Extract<Operation, { kind: 'batch normalisation' }>['statistics'],
    source: Placement,
    destination: Placement,
    parameters: readonly StepArgument[],
  ): void {
    const isLast = statistics !== 'own, given back'
    const { epsilon } = this.#norm
    const { descriptor: data } = source
    this.#add(
      { kind: 'batch normalisation', statistics, epsilon, relu: this.#relu && isLast, data },
      [{ argument: argument.source, placement: source }, ...parameters],
      destination,
    )
  }

  /** Mean and variance for each channel, the same for all of a group. @param scratch memory for a result that nobody needs */
  #moments(source: Placement, scratch: Placement): readonly StepArgument[] {
    const { groups } = this.#norm
    const perGroup = this.#channels / groups
    const vector = this.#lowering.dnnl.describe('float32', [this.#channels], [1])
    const table = rowMajor(this.#lowering, [groups, perGroup])
    const [mean, variance] = [this.#lowering.allocate(vector), this.#lowering.allocate(vector)]
    this.#batchNorm('own, given back', source, scratch, [
      { argument: argument.mean, placement: mean, written: true },
      { argument: argument.variance, placement: variance, written: true },
      parameter(this.#lowering, argument.scale, undefined, this.#channels, 1),
      parameter(this.#lowering, argument.shift, undefined, this.#channels, 0),
    ])
    const means = { ...mean, descriptor: table }
    const groupMeans = this.#meanOfRows(means)
    const spread = this.#lowering.allocate(table)
    this.#binary(
      'sub',
      means,
      groupMeans,
      spread,
      [
        { kind: 'eltwise', algorithm: 'square', alpha: 0, beta: 0 },
        { kind: 'binary', algorithm: 'add', operand: table },
      ],
      { ...variance, descriptor: table },
    )
    const groupVariances = this.#meanOfRows(spread)
    return [
      { argument: argument.mean, placement: { ...groupMeans, descriptor: vector } },
      { argument: argument.variance, placement: { ...groupVariances, descriptor: vector } },
    ]
  }

  /** The mean of each row in all places of the row. */
  #meanOfRows(rows: Placement): Placement {
    const { descriptor } = rows
    const [count = 1] = descriptor.sizes
    const means = this.#lowering.allocate(rowMajor(this.#lowering, [count, 1]))
    this.#add(
      { kind: 'reduction', algorithm: 'mean', source: descriptor, destination: means.descriptor },
      [{ argument: argument.source, placement: rows }],
      means,
    )
    const spread = this.#lowering.allocate(descriptor)
    this.#binary('add', this.#zeros(descriptor), means, spread)
    return spread
  }

  #zeros(descriptor: MemoryDescriptor): Placement {
    const zeros = Tensor.from('float32', [this.#channels], new Float32Array(this.#channels))
    return { descriptor, buffer: PlanBuffer.constant(zeros.storage.bytes), offset: 0 }
  }

  /** @param operand of the binary among the post-operations, which is the second of them */
  #binary(
    algorithm: 'add' | 'sub',
    left: Placement,
    right: Placement,
    destination: Placement,
    postOperations: readonly PostOperation[] = [],
    operand?: Placement,
  ): void {
    const sources = [left.descriptor, right.descriptor] as const
    this.#add(
      { kind: 'binary', algorithm, sources, destination: destination.descriptor },
      [
        { argument: argument.source, placement: left },
        { argument: argument.secondSource, placement: right },
        ...(operand ? [{ argument: this.#lowering.dnnl.postOperand(1), placement: operand }] : []),
      ],
      destination,
      postOperations,
    )
  }

  #add(
    operation: Operation,
    inputs: readonly StepArgument[],
    destination: Placement,
    postOperations: readonly PostOperation[] = [],
  ): void {
    const primitive = this.#lowering.dnnl.create(operation, postOperations)
    this.#lowering.add(primitive, this.#nodes, inputs, destination)
  }
}

export const groupNormRules: Readonly<Record<string, LoweringRule>> = {
  'aten::group_norm': lowerGroupNorm,
  'aten::instance_norm': lowerInstanceNorm,
}
