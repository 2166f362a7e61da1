import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'
import { suggestsChannelsLast } from './channels-last.ts'
import { convolutionColumns, tapOffsets, type TapOffsets } from './convolution-columns.ts'
import {
  convolutionGeometry,
  type ConvolutionGeometry,
  type ConvolutionOptions,
} from './convolution-geometry.ts'
import { convolveChannel } from './direct-convolution.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, forKernel, fromKernel, kernelDType, requireSameDType } from './float-compute.ts'
import { multiplyPacked, stridedRows } from './gemm.ts'
import { channelsLastStrides } from './memory-layout.ts'
import { tabulate } from './scratch.ts'
import { allocateFor, floatData } from './tensor-access.ts'

/** What all images and groups of one convolution share. All tensors have three spatial dimensions. */
interface Job {
  readonly taps: TapOffsets
  readonly input: Tensor
  readonly output: Tensor
  readonly weight: Tensor
  readonly bias: Float64Array
  readonly inputsPerGroup: number
  readonly outputsPerGroup: number
  /** Between the weights of neighbouring output channels of a group, and between groups. */
  readonly outputStep: number
  readonly groupStep: number
  /** From an output channel's first weight to each other, input channel by input channel, tap by tap. */
  readonly weightOffsets: Int32Array
}

/**
 * Convolution in one, two or three dimensions, and transposed convolution, which gathers like its forward twin but
 * meets the taps at other places. Input is N × C × spatial (N may be missing), of any strides; sums are doubles,
 * rounded once to the input's dtype.
 *
 * @throws OperatorArgumentError in libtorch's words when sizes or dtypes do not fit
 */
export function convolve(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvolutionOptions,
): Tensor {
  requireSameDType(input, { weight, bias })
  if (input.dtype === 'bool') throw new OperatorArgumentError('convolution is not implemented for bool')
  if (input.dim !== weight.dim - 1 || input.dim < 2) return convolveBatch(input, weight, bias, options)
  const batch = input.asStrided([1, ...input.sizes], [input.sizes[0]! * input.strides[0]!, ...input.strides])
  const result = convolveBatch(batch, weight, bias, options)
  return result.asStrided(result.sizes.slice(1), result.strides.slice(1))
}

function convolveBatch(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvolutionOptions,
): Tensor {
  const geometry = convolutionGeometry(input, weight, bias, options)
  const sizes = [input.sizes[0]!, geometry.outputChannels, ...geometry.output]
  const strides = outputStrides(sizes, input, weight, options)
  const output = allocateFor([input, weight, bias], kernelDType(input.dtype), sizes, strides)
  if (output.numel > 0 && !output.isMeta)
    run(prepare(geometry, forKernel(input), forKernel(weight), bias, output))
  return fromKernel(output, input.dtype)
}

/** As libtorch 1.13 has it: the channels-last order survives in forward convolutions of two dimensions. */
function outputStrides(
  sizes: readonly number[],
  input: Tensor,
  weight: Tensor,
  { transposed }: ConvolutionOptions,
): readonly number[] {
  const channelsLast = suggestsChannelsLast(input) || suggestsChannelsLast(weight)
  return channelsLast && !transposed && sizes.length === 4
    ? channelsLastStrides(sizes)
    : contiguousStrides(sizes)
}

function prepare(
  geometry: ConvolutionGeometry,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
): Job {
  const { groups, transposed, outputChannels } = geometry
  const volume = withThreeDimensions(input)
  const kernel = withThreeDimensions(weight)
  const [outputDim, inputDim] = transposed ? [1, 0] : [0, 1]
  const inputsPerGroup = input.sizes[1]! / groups
  const outputsPerGroup = outputChannels / groups
  return {
    taps: tapOffsets(threeDimensional(geometry), volume.strides.slice(2)),
    input: volume,
    output: withThreeDimensions(output),
    weight: kernel,
    bias: bias ? Float64Array.from(floatData(bias)) : new Float64Array(outputChannels),
    inputsPerGroup,
    outputsPerGroup,
    outputStep: kernel.strides[outputDim]!,
    groupStep: kernel.strides[0]! * (kernel.sizes[0]! / groups),
    weightOffsets: offsetsOfWeights(kernel, inputsPerGroup, kernel.strides[inputDim]!),
  }
}

/** Puts dimensions of size 1 in front of the spatial ones. */
function withThreeDimensions(tensor: Tensor): Tensor {
  const missing = new Array<number>(5 - tensor.dim)
  const insert = (list: readonly number[], value: number): number[] => [
    ...list.slice(0, 2),
    ...missing.fill(value),
    ...list.slice(2),
  ]
  return tensor.asStrided(insert(tensor.sizes, 1), insert(tensor.strides, 0))
}

function threeDimensional(geometry: ConvolutionGeometry): ConvolutionGeometry {
  const missing = 3 - geometry.kernel.length
  const lead = (list: readonly number[], value: number): readonly number[] => [
    ...new Array<number>(missing).fill(value),
    ...list,
  ]
  return {
    ...geometry,
    stride: lead(geometry.stride, 1),
    padding: lead(geometry.padding, 0),
    dilation: lead(geometry.dilation, 1),
    kernel: lead(geometry.kernel, 1),
    input: lead(geometry.input, 1),
    output: lead(geometry.output, 1),
  }
}

function offsetsOfWeights(weight: Tensor, channels: number, channelStride: number): Int32Array {
  const [, , depth, height, width] = weight.sizes as [number, number, number, number, number]
  const [, , depthStride, heightStride, widthStride] = weight.strides as [
    number,
    number,
    number,
    number,
    number,
  ]
  const offsets = tabulate(channels * depth * height * width, () => 0)
  let at = 0
  for (let c = 0; c < channels; c++)
    for (let d = 0; d < depth; d++)
      for (let h = 0; h < height; h++)
        for (let w = 0; w < width; w++, at++)
          offsets[at] = c * channelStride + d * depthStride + h * heightStride + w * widthStride
  return offsets
}

/** With few rows the product does not repay the packing of columns, where these lie in lines of some length. */
function isDirect({ inputsPerGroup, outputsPerGroup, taps }: Job): boolean {
  return inputsPerGroup === 1 || (outputsPerGroup <= 4 && taps.kernel[2]! > 1 && taps.output[2]! >= 16)
}

function run(job: Job): void {
  const [images, channels] = job.input.sizes as [number, number]
  const groups = channels / job.inputsPerGroup
  const convolveGroup = isDirect(job) ? convolveDirectly : multiplyGroup
  for (let image = 0; image < images; image++)
    for (let group = 0; group < groups; group++)
      convolveGroup(job, group, {
        input:
          job.input.storageOffset +
          image * job.input.strides[0]! +
          group * job.inputsPerGroup * job.input.strides[1]!,
        output: image * job.output.strides[0]! + group * job.outputsPerGroup * job.output.strides[1]!,
        weight: job.weight.storageOffset + group * job.groupStep,
      })
}

/** Where the elements of one image and group begin. */
interface Start {
  readonly input: number
  readonly output: number
  readonly weight: number
}

function multiplyGroup(job: Job, group: number, start: Start): void {
  const { taps, input, output, weight, weightOffsets, inputsPerGroup, outputsPerGroup } = job
  multiplyPacked(
    stridedRows(floatsOf(weight), start.weight, outputsPerGroup, job.outputStep, weightOffsets),
    convolutionColumns(taps, input, start.input, inputsPerGroup),
    weightOffsets.length,
    {
      data: floatsOf(output),
      offset: start.output,
      rowStride: output.strides[1]!,
      columnStride: positionStride(output),
      rowBias: job.bias.subarray(group * outputsPerGroup, (group + 1) * outputsPerGroup),
    },
  )
}

function convolveDirectly(job: Job, group: number, start: Start): void {
  const { input, output, weight, weightOffsets, outputsPerGroup } = job
  for (let channel = 0; channel < outputsPerGroup; channel++) {
    const first = start.weight + channel * job.outputStep
    convolveChannel(
      {
        input: floatsOf(input),
        inputOffset: start.input,
        inputChannels: job.inputsPerGroup,
        inputChannelStride: input.strides[1]!,
        weight: Float64Array.from(weightOffsets, (offset) => floatsOf(weight)[first + offset]!),
        bias: job.bias[group * outputsPerGroup + channel]!,
        output: floatsOf(output),
        outputOffset: start.output + channel * output.strides[1]!,
        outputStride: positionStride(output),
      },
      job.taps,
    )
  }
}

/** Between neighbouring positions of a result, which lies row-major or channels-last: its last dimension's stride. */
function positionStride(output: Tensor): number {
  return output.strides[4]!
}
