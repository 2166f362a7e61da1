import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Node } from '../../ir/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import { insertValue } from './constants.ts'
import {
  elementsOf,
  isPlainFloat,
  largestMagnitudes,
  scaleWeight,
  vectorOf,
  type ByIndices,
  type Leading,
} from './fold-tensors.ts'
import { NodeArguments, roleOf } from './node-arguments.ts'

/** A convolution or linear layer whose weights are constants, as folding passes see it. */
export interface Layer {
  readonly node: Node
  readonly args: NodeArguments
  readonly isLinear: boolean
  readonly isTransposed: boolean
  readonly weight: Tensor
  /** One element per output channel. */
  readonly bias: Tensor | null
  /** Output channels. */
  readonly channels: number
  /** The output channel that a weight's elements with these first two indices work for. */
  readonly outputOf: ByIndices
  /** The input channel that they look at. */
  readonly inputOf: ByIndices
}

/** The layer, or why its weights are not to be changed. */
export function readLayer(node: Node, cx: PassContext): Layer | string {
  const args = new NodeArguments(node, cx)
  const isLinear = roleOf(node, cx) === 'linear'
  const weight = args.tensor('weight')
  const bias = args.optionalTensor('bias')
  if (weight === undefined || bias === undefined) return 'a weight or bias is no constant; freeze first'
  const isTransposed = isLinear ? false : transposition(args)
  const groups = isLinear ? 1 : args.int('groups')
  if (isTransposed === undefined || groups === undefined || groups < 1)
    return 'the groups or the direction of the convolution are no constants; freeze first'
  if (!isPlainFloat(weight) || (bias && !isPlainFloat(bias))) return 'the weights are no plain floats'
  if (isLinear ? weight.dim !== 2 : weight.dim < 3) return `a weight of ${weight.dim} dimensions`
  if (bias && bias.dtype !== weight.dtype) return 'weight and bias differ in dtype'
  const channels = isTransposed ? (weight.sizes[1] ?? 0) * groups : (weight.sizes[0] ?? 0)
  if (bias && (bias.dim !== 1 || bias.numel !== channels)) return `the bias has not ${channels} elements`
  const indices = isTransposed ? transposedIndices(weight, groups) : forwardIndices(weight, groups)
  return { node, args, isLinear, isTransposed, weight, bias, channels, ...indices }
}

/** Whether a convolution is transposed; undefined if that is known only at run time. */
function transposition(args: NodeArguments): boolean | undefined {
  return args.offset('transposed') === -1 ? args.node.kind.includes('transpose') : args.bool('transposed')
}

type Indices = Pick<Layer, 'outputOf' | 'inputOf'>

/** Output channels × input channels of one group × … */
function forwardIndices({ sizes }: Tensor, groups: number): Indices {
  const [outputs = 1, inputs = 1] = sizes
  return {
    outputOf: (i0) => i0,
    inputOf: (i0, i1) => Math.floor((i0 * groups) / outputs) * inputs + i1,
  }
}

/** Input channels × output channels of one group × … */
function transposedIndices({ sizes }: Tensor, groups: number): Indices {
  const [inputs = 1, outputs = 1] = sizes
  return {
    outputOf: (i0, i1) => Math.floor((i0 * groups) / inputs) * outputs + i1,
    inputOf: (i0) => i0,
  }
}

/** What is done to a layer's result: y · scale + shift, channel by channel. */
export interface ChannelAffine {
  readonly scale?: Float64Array
  readonly shift?: Float64Array
}

/** A layer's new weights; what is left out stays. */
export interface NewWeights {
  readonly weight?: Tensor
  readonly bias?: Tensor
}

/** The weights of a layer that does it all by itself, or why there are none as precise as the old ones. */
export function absorb(layer: Layer, { scale, shift }: ChannelAffine): NewWeights | string {
  const { outputOf, bias, channels } = layer
  const factor = scale && ((i0: number, i1: number) => scale[outputOf(i0, i1)] as number)
  const old = bias ? elementsOf(bias) : shift && new Float64Array(channels)
  return reweigh(
    layer,
    factor,
    old?.map((value, i) => value * (scale?.[i] ?? 1) + (shift?.[i] ?? 0)),
    layer.isTransposed ? 2 : 1,
  )
}

/**
 * A layer's weights times a factor and its bias replaced, or why that would not be as precise as it was.
 *
 * @param leading how many of the weight's indices the factor and the output channel depend on
 */
export function reweigh(
  layer: Layer,
  factor: ByIndices | undefined,
  bias: Float64Array | undefined,
  leading: Leading = 2,
): NewWeights | string {
  const { weight, channels, outputOf } = layer
  const largest = factor && largestMagnitudes(weight, channels, leading, outputOf, factor)
  if (largest && !Array.from(largest).every((value) => isInRange(value, weight.dtype)))
    return `the new weights would be too large or too small for ${weight.dtype}`
  const rounded = bias && vectorOf(bias, weight.dtype)
  if (rounded && !elementsOf(rounded).every(Number.isFinite))
    return `the new bias would be too large for ${weight.dtype}`
  return {
    ...(factor && { weight: scaleWeight(weight, leading, factor) }),
    ...(rounded && { bias: rounded }),
  }
}

const largestFinite: Partial<Record<DType, number>> = {
  float16: 65504,
  bfloat16: 2 ** 127 * (2 - 2 ** -7),
  float32: 2 ** 127 * (2 - 2 ** -23),
}

/** Below it numbers of float16 have fewer digits; the other dtypes reach so far down that nobody sees it. */
const smallestNormalHalf = 2 ** -14

/**
 * Whether a channel's largest weight is neither infinite, nor so small that rounding its channel would cost more than
 * the half unit in the last place of the largest that it always costs. A channel that is all 0 stays so.
 */
function isInRange(largest: number, dtype: DType): boolean {
  const isLarge = dtype !== 'float16' || largest === 0 || largest >= smallestNormalHalf
  return isLarge && largest <= (largestFinite[dtype] ?? Number.MAX_VALUE)
}

/** Gives the layer its new weights, as constants called like the old ones with a suffix. */
export function replaceWeights(edit: GraphEditor, layer: Layer, weights: NewWeights, suffix: string): void {
  for (const name of ['weight', 'bias'] as const) {
    const tensor = weights[name]
    if (tensor === undefined) continue
    const offset = layer.args.offset(name)
    const old = layer.node.input(offset)
    const folded = insertValue(edit, tensor, old.node.range)
    edit.setDebugName(folded, `${old.hasDebugName ? old.debugName : name}${suffix}`)
    edit.replaceInput(layer.node, offset, folded)
  }
}
