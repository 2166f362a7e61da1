import { Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { OperatorArgumentError } from './errors.ts'
import { kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import {
  moments,
  parameter,
  requireCount,
  scaleStretches,
  vectorLike,
  type Moments,
} from './normalization.ts'
import { defineOp, type Operator } from './operator.ts'
import { anyMeta, copyInto, floatData } from './tensor-access.ts'

interface BatchNormArguments {
  readonly input: Tensor
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly running_mean: Tensor | null
  readonly running_var: Tensor | null
  readonly training: boolean
  readonly momentum: number
  readonly eps: number
}

const none = new Float64Array(0)

interface Normalized {
  readonly output: Tensor
  /** Mean and 1 / √(variance + eps) of each channel in this batch. */
  readonly mean: Float64Array
  readonly inverse: Float64Array
}

/**
 * Batch normalisation of N × C × … (Ioffe and Szegedy 2015). In training the batch's own moments are used, and the
 * running ones move towards them in place, the variance unbiased; otherwise the running ones are used.
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
function batchNorm(args: BatchNormArguments): Normalized {
  const { input, weight, bias, training, eps } = args
  checkArguments(args)
  if (isDescribed(args))
    return { output: inOrderOf(input, Tensor.meta(input.dtype, input.sizes)), mean: none, inverse: none }
  const channels = input.sizes[1]!
  const found = training ? momentsOfChannels(input, channels) : runningMoments(args)
  if (training) moveRunning(args.running_mean, args.running_var, found, args.momentum, input.numel / channels)
  const mean = Float64Array.from(found, (channel) => channel.mean)
  const inverse = Float64Array.from(found, ({ variance }) => 1 / Math.sqrt(variance + eps))
  const scale = parameter(weight, channels, 1).map((value, i) => value * inverse[i]!)
  const shift = parameter(bias, channels, 0)
  const length = input.sizes.slice(2).reduce((n, size) => n * size, 1)
  const output = scaleStretches(input, length, { center: mean, scale, shift })
  return { output: inOrderOf(input, output), mean, inverse }
}

/** Whether there are no elements to read, nor running moments to move. */
function isDescribed({
  input,
  weight,
  bias,
  running_mean,
  running_var,
  training,
}: BatchNormArguments): boolean {
  const moves = training && (running_mean !== null || running_var !== null)
  return !moves && anyMeta([input, weight, bias, running_mean, running_var])
}

function checkArguments(args: BatchNormArguments): void {
  const { input, weight, bias, running_mean, running_var, training } = args
  requireFloating(input, 'batch_norm')
  if (input.dim < 2)
    throw new OperatorArgumentError(`batch_norm expects at least 2 dimensions, but got ${input.dim}`)
  if (input.dtype !== 'bfloat16') requireSameDType(input, { weight, bias, running_mean, running_var })
  requireCount(input.sizes[1]!, { weight, bias, running_mean, running_var })
  if (!training && (running_mean === null || running_var === null))
    throw new OperatorArgumentError(
      'expected running_mean and running_var to be defined when training=False',
      { argument: running_mean === null ? 'running_mean' : 'running_var' },
    )
}

function momentsOfChannels(input: Tensor, channels: number): Moments[] {
  const data = floatData(input)
  const [images] = input.sizes as [number]
  const length = images * channels === 0 ? 0 : data.length / images / channels
  return Array.from({ length: channels }, (_, channel) =>
    moments(data, channel * length, length, images, channels * length),
  )
}

function runningMoments({ running_mean, running_var }: BatchNormArguments): Moments[] {
  const means = floatData(running_mean!)
  const variances = floatData(running_var!)
  return Array.from(means, (mean, i) => ({ mean, variance: variances[i]! }))
}

/** Moves the running moments a share `momentum` of the way to those found; `count` elements made each of them. */
export function moveRunning(
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  found: readonly Moments[],
  momentum: number,
  count: number,
): void {
  const move = (running: Tensor | null, towards: (moments: Moments) => number): void => {
    if (running === null) return
    const before = floatData(running)
    const after = Float64Array.from(found, (one, i) => (1 - momentum) * before[i]! + momentum * towards(one))
    copyInto(running, vectorLike(after, running.dtype))
  }
  move(runningMean, ({ mean }) => mean)
  move(runningVar, ({ variance }) => (variance * count) / (count - 1))
}

/** Output, means and inverse deviations; the two are empty where they were not made. */
function withMoments(args: BatchNormArguments): Tensor[] {
  const { input, training } = args
  const { output, mean, inverse } = batchNorm(args)
  const statistic = (values: Float64Array): Tensor =>
    output.isMeta
      ? Tensor.meta(kernelDType(input.dtype), [training ? input.sizes[1]! : 0])
      : vectorLike(training ? values : none, input.dtype)
  return [output, statistic(mean), statistic(inverse)]
}

export const batchNormOperators: readonly Operator[] = [
  defineOp(
    'aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor',
    {
      freezable: ['weight', 'bias', 'running_mean', 'running_var'],
      role: 'batch-norm',
      reference: (args) => batchNorm(args).output,
    },
  ),
  defineOp(
    'aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    { freezable: ['weight', 'bias', 'running_mean', 'running_var'], reference: withMoments },
  ),
  defineOp(
    'aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    {
      freezable: ['weight', 'bias'],
      reference: (args) => withMoments({ ...args, running_mean: null, running_var: null }),
    },
  ),
  defineOp(
    'aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    {
      freezable: ['weight', 'bias', 'running_mean', 'running_var'],
      reference: (args) => withMoments({ ...args, training: false }),
    },
  ),
  defineOp(
    'aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)',
    {
      freezable: ['weight', 'bias', 'running_mean', 'running_var'],
      reference: withMoments,
    },
  ),
]
