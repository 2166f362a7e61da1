import type { Value } from '../../ir/graph.ts'
import { Double } from '../../ir/ivalue.ts'
import { resultType } from '../../ops/type-promotion.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import type { ChannelAffine, Layer } from './channel-layer.ts'
import { elementsOf, isPlainFloat } from './fold-tensors.ts'
import { rankOf } from './known-tensor.ts'
import type { NodeArguments } from './node-arguments.ts'
import { readOnlyConstant } from './read-only-constants.ts'

/**
 * What a batch norm does to each of `channels` channels, or why that is not known: with
 * s = weight / √(running_var + eps), it is x · s + (bias - running_mean · s).
 *
 * @param dtype of what it normalises: libtorch takes statistics of the same dtype, or float32 for halves
 */
export function normalization(
  norm: NodeArguments,
  channels: number,
  dtype: Tensor['dtype'],
): Required<ChannelAffine> | string {
  if (norm.bool('training') !== false) return 'the batch norm trains, or may train'
  const mean = norm.optionalTensor('running_mean')
  const variance = norm.optionalTensor('running_var')
  const weight = norm.optionalTensor('weight')
  const bias = norm.optionalTensor('bias')
  const eps = norm.number('eps')
  if (mean === null || variance === null) return 'the batch norm takes its statistics from the batch'
  if (!mean || !variance || weight === undefined || bias === undefined || eps === undefined)
    return 'a weight or statistic is no constant; freeze first'
  const vectors = [mean, variance, weight, bias].filter((tensor) => tensor !== null)
  if (!vectors.every(isPlainFloat)) return 'the statistics are no plain floats'
  if (vectors.some((tensor) => tensor.numel !== channels)) return `not all have ${channels} channels`
  if (!vectors.every((tensor) => tensor.dtype === mean.dtype) || !goTogether(dtype, mean.dtype))
    return 'weights and statistics differ in dtype'
  return affineOf({ mean, variance, weight, bias, eps })
}

function goTogether(dtype: Tensor['dtype'], statistics: Tensor['dtype']): boolean {
  return dtype === statistics || (statistics === 'float32' && (dtype === 'bfloat16' || dtype === 'float16'))
}

interface Statistics {
  readonly mean: Tensor
  readonly variance: Tensor
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly eps: number
}

function affineOf({ mean, variance, weight, bias, eps }: Statistics): Required<ChannelAffine> {
  const weights = weight && elementsOf(weight)
  const biases = bias && elementsOf(bias)
  const means = elementsOf(mean)
  const scale = elementsOf(variance).map((value, i) => (weights?.[i] ?? 1) / Math.sqrt(value + eps))
  return { scale, shift: scale.map((factor, i) => (biases?.[i] ?? 0) - (means[i] as number) * factor) }
}

/**
 * The constant operand of an arithmetic operator on the layer's result, channel by channel, or why it is not like
 * that (`checkConvAndBroadcastingOpPreConditions`, torch/csrc/jit/passes/frozen_conv_folding.cpp):
 *
 * - it is an int or float, or a tensor of real numbers;
 * - it does not change the result's dtype;
 * - broadcast to the result it differs between channels only, and it makes the result neither larger nor longer.
 */
export function channelOperand(value: Value, layer: Layer, cx: PassContext): Float64Array | string {
  const constant = readOnlyConstant(value, cx)
  const { weight, channels } = layer
  if (typeof constant === 'number') return new Float64Array(channels).fill(constant)
  if (constant instanceof Double) return new Float64Array(channels).fill(constant.value)
  if (!(constant instanceof Tensor)) return 'the other operand is no constant number or tensor; freeze first'
  if (constant.quantizer !== undefined || constant.isMeta) return 'the other operand is no plain tensor'
  const dtype = resultType(Tensor.meta(weight.dtype, [1]), constant)
  if (dtype !== weight.dtype) return `the result would be of dtype ${dtype}`
  if (!differsByChannel(constant.sizes, layer, cx))
    return `a tensor of sizes [${constant.sizes.join(', ')}] does not go with ${channels} channels`
  const elements = elementsOf(constant)
  return elements.length === 1 ? new Float64Array(channels).fill(elements[0] as number) : elements
}

/** Whether a tensor of these sizes leaves the layer's result its sizes, and has one number for each channel. */
function differsByChannel(sizes: readonly number[], layer: Layer, cx: PassContext): boolean {
  const { isLinear, weight, channels } = layer
  const channelDim = isLinear ? 1 : weight.dim - 1
  const fits = sizes.every((size, i) => size === 1 || (size === channels && sizes.length - i === channelDim))
  return fits && sizes.length <= (rankOf(layer.node.output(), cx) ?? (isLinear ? 1 : weight.dim))
}
