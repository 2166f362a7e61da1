import { Tensor } from '../tensor/tensor.ts'
import { moveRunning } from './batch-norm.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel, requireFloating, requireSameDType } from './float-compute.ts'
import { moments, parameter, requireCount, scaleStretches, type Moments } from './normalization.ts'
import { defineOp, type Operator } from './operator.ts'
import { anyMeta, floatData } from './tensor-access.ts'

interface InstanceNormArguments {
  readonly input: Tensor
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly running_mean: Tensor | null
  readonly running_var: Tensor | null
  readonly use_input_stats: boolean
  readonly momentum: number
  readonly eps: number
}

/**
 * Normalises each channel of each image by itself (Ulyanov et al. 2016), or by the running moments. Running moments,
 * where there are any, move towards the mean of the images' own.
 */
function instanceNorm(args: InstanceNormArguments): Tensor {
  const { input, weight, bias, running_mean, running_var, use_input_stats: ownMoments, eps } = args
  requireFloating(input, 'instance_norm')
  requireSameDType(input, { weight, bias, running_mean, running_var })
  if (input.dim < 2)
    throw new OperatorArgumentError(`instance_norm expects at least 2 dimensions, but got ${input.dim}`)
  if (!ownMoments && (running_mean === null || running_var === null))
    throw new OperatorArgumentError(
      'expected running_mean and running_var to be defined when use_input_stats is false',
    )
  const [images, channels] = input.sizes as [number, number]
  requireCount(channels, { weight, bias, running_mean, running_var })
  // What moves running moments has to read them.
  const moves = ownMoments && (running_mean !== null || running_var !== null)
  if (!moves && anyMeta([input, weight, bias, running_mean, running_var]))
    return Tensor.meta(input.dtype, input.sizes)
  const count = images * channels
  const length = input.sizes.slice(2).reduce((n, size) => n * size, 1)
  const found = ownMoments ? momentsOfImages(input, count, length) : running(args, count)
  if (ownMoments)
    moveRunning(running_mean, running_var, meanOverImages(found, channels), args.momentum, length)
  const weights = parameter(weight, channels, 1)
  const biases = parameter(bias, channels, 0)
  const output = scaleStretches(input, length, {
    center: Float64Array.from(found, ({ mean }) => mean),
    scale: Float64Array.from(found, ({ variance }, i) => weights[i % channels]! / Math.sqrt(variance + eps)),
    shift: Float64Array.from(found, (_, i) => biases[i % channels]!),
  })
  return fromKernel(output, input.dtype)
}

function momentsOfImages(input: Tensor, count: number, length: number): Moments[] {
  const data = floatData(input)
  return Array.from({ length: count }, (_, i) => moments(data, i * length, length))
}

function running({ running_mean, running_var }: InstanceNormArguments, count: number): Moments[] {
  const means = floatData(running_mean!)
  const variances = floatData(running_var!)
  return Array.from({ length: count }, (_, i) => ({
    mean: means[i % means.length]!,
    variance: variances[i % means.length]!,
  }))
}

function meanOverImages(found: readonly Moments[], channels: number): Moments[] {
  const images = found.length / channels
  return Array.from({ length: channels }, (_, channel) => {
    const own = found.filter((_, i) => i % channels === channel)
    return {
      mean: own.reduce((sum, { mean }) => sum + mean, 0) / images,
      variance: own.reduce((sum, { variance }) => sum + variance, 0) / images,
    }
  })
}

export const instanceNormOperators: readonly Operator[] = [
  defineOp(
    'aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor',
    { freezable: ['weight', 'bias', 'running_mean', 'running_var'], reference: instanceNorm },
  ),
]
