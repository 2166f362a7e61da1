import { Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import {
  checkNormalizedShape,
  moments,
  parameter,
  requireCount,
  scaleStretches,
  vectorLike,
} from './normalization.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { allocate, anyMeta, floatData } from './tensor-access.ts'

const none = new Float64Array(0)

export interface Normalized {
  readonly output: Tensor
  readonly mean: Float64Array
  readonly inverse: Float64Array
}

/**
 * Normalises over the last dimensions, `shape`, and multiplies by weights of that shape (Ba et al. 2016). Row-major,
 * sums in doubles, rounded once.
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
export function layerNorm(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Normalized {
  checkShape(input, shape, weight, bias)
  if (anyMeta([input, weight, bias]))
    return { output: Tensor.meta(input.dtype, input.sizes), mean: none, inverse: none }
  const length = shape.reduce((n, size) => n * size, 1)
  const rows = length === 0 ? 0 : input.numel / length
  const data = floatData(input)
  const result = allocate(kernelDType(input.dtype), input.sizes)
  const out = floatsOf(result)
  const [scale, shift] = [parameter(weight, length, 1), parameter(bias, length, 0)]
  const [means, inverses] = [new Float64Array(rows), new Float64Array(rows)]
  for (let row = 0, at = 0; row < rows; row++, at += length) {
    const { mean, variance } = moments(data, at, length)
    const inverse = 1 / Math.sqrt(variance + eps)
    for (let i = 0; i < length; i++) out[at + i] = (data[at + i]! - mean) * inverse * scale[i]! + shift[i]!
    means[row] = mean
    inverses[row] = inverse
  }
  return { output: fromKernel(result, input.dtype), mean: means, inverse: inverses }
}

function checkShape(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
): void {
  requireFloating(input, 'layer_norm')
  if (input.dtype !== 'bfloat16') requireSameDType(input, { weight, bias })
  checkNormalizedShape(input, shape, { weight, bias })
}

/** Normalises groups of channels of N × C × … (Wu and He 2018). */
function groupNorm(
  input: Tensor,
  groups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Normalized {
  const [images, channels] = groupedSizes(input, groups)
  requireFloating(input, 'group_norm')
  if (input.dtype !== 'bfloat16') requireSameDType(input, { weight, bias })
  requireCount(channels, { weight, bias })
  if (anyMeta([input, weight, bias]))
    return { output: inOrderOf(input, Tensor.meta(input.dtype, input.sizes)), mean: none, inverse: none }
  const data = floatData(input)
  const length = input.sizes.slice(2).reduce((n, size) => n * size, 1)
  const perGroup = channels / groups
  const found = Array.from({ length: images * groups }, (_, i) =>
    moments(data, i * perGroup * length, perGroup * length),
  )
  const [weights, biases] = [parameter(weight, channels, 1), parameter(bias, channels, 0)]
  const mean = Float64Array.from(found, (group) => group.mean)
  const inverse = Float64Array.from(found, ({ variance }) => 1 / Math.sqrt(variance + eps))
  const ofChannel = (number: (channel: number, group: number) => number): Float64Array =>
    Float64Array.from({ length: images * channels }, (_, i) => number(i % channels, Math.floor(i / perGroup)))
  const output = scaleStretches(input, length, {
    center: ofChannel((_, group) => mean[group]!),
    scale: ofChannel((channel, group) => weights[channel]! * inverse[group]!),
    shift: ofChannel((channel) => biases[channel]!),
  })
  return { output: inOrderOf(input, output), mean, inverse }
}

function groupedSizes(input: Tensor, groups: number): readonly [number, number] {
  const [images, channels] = input.sizes
  if (images === undefined || channels === undefined)
    throw new OperatorArgumentError(`group_norm expects at least 2 dimensions, but got ${input.dim}`)
  if (groups <= 0 || channels % groups !== 0)
    throw new OperatorArgumentError(
      `expected number of channels in input to be divisible by num_groups, ` +
        `but got input of shape ${sizesText(input.sizes)} and num_groups=${groups}`,
    )
  return [images, channels]
}

/** Output, means and inverse deviations, as the native operators give them. */
function withStatistics(
  { output, mean, inverse }: Normalized,
  input: Tensor,
  sizes: readonly number[],
): Tensor[] {
  const statistic = (values: Float64Array): Tensor =>
    output.isMeta
      ? Tensor.meta(kernelDType(input.dtype), sizes)
      : reshape(vectorLike(values, input.dtype), sizes)
  return [output, statistic(mean), statistic(inverse)]
}

export const layerNormOperators: readonly Operator[] = [
  defineOp(
    'aten::layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor',
    {
      freezable: ['weight', 'bias'],
      reference: ({ input, normalized_shape, weight, bias, eps }) =>
        layerNorm(input, normalized_shape, weight, bias, eps).output,
    },
  ),
  defineOp(
    'aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)',
    {
      freezable: ['weight', 'bias'],
      reference: ({ input, normalized_shape: shape, weight, bias, eps }) =>
        withStatistics(layerNorm(input, shape, weight, bias, eps), input, [
          ...input.sizes.slice(0, -shape.length),
          ...shape.map(() => 1),
        ]),
    },
  ),
  defineOp(
    'aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor',
    {
      freezable: ['weight', 'bias'],
      reference: ({ input, num_groups, weight, bias, eps }) =>
        groupNorm(input, num_groups, weight, bias, eps).output,
    },
  ),
  defineOp(
    'aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)',
    {
      freezable: ['weight', 'bias'],
      reference: ({ input, weight, bias, N, group, eps }) =>
        withStatistics(groupNorm(input, group, weight, bias, eps), input, [N, group]),
    },
  ),
]
