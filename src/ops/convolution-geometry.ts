import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'

/** What a convolution is told, one entry per spatial dimension. */
export interface ConvolutionOptions {
  readonly stride: readonly number[]
  readonly padding: readonly number[] | 'same' | 'valid'
  readonly dilation: readonly number[]
  readonly groups: number
  readonly transposed: boolean
  readonly outputPadding: readonly number[]
}

/** The sizes of a checked convolution. */
export interface ConvolutionGeometry {
  readonly stride: readonly number[]
  /** Zeros in front of the input; behind it the output's size tells. */
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly kernel: readonly number[]
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly groups: number
  readonly transposed: boolean
  readonly outputChannels: number
}

/** One value for each dimension, where a single one may stand for all. */
export function perDimension(values: readonly number[], count: number, name: string): readonly number[] {
  if (values.length === count) return values
  if (values.length === 1) return new Array<number>(count).fill(values[0]!)
  throw new OperatorArgumentError(
    `expected ${name} to be a single integer value or a list of ${count} values, but got [${values.join(', ')}]`,
    { argument: name },
  )
}

/** `[2, 3, 4]`, as libtorch writes sizes. */
export function sizesText(sizes: readonly number[]): string {
  return `[${sizes.join(', ')}]`
}

/**
 * Checks a batched convolution and computes its output size, in the order and words of `check_shape_forward`
 * (aten/src/ATen/native/Convolution.cpp).
 *
 * @throws OperatorArgumentError
 */
export function convolutionGeometry(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvolutionOptions,
): ConvolutionGeometry {
  const { groups, transposed } = options
  const kernel = weight.sizes.slice(2)
  const count = kernel.length
  if (count < 1 || count > 3)
    throw new OperatorArgumentError(
      `weight should have between three and five dimensions, but got weight of size ${sizesText(weight.sizes)}`,
      { argument: 'weight' },
    )
  const stride = perDimension(options.stride, count, 'stride')
  const dilation = perDimension(options.dilation, count, 'dilation')
  const padding = paddingBefore(options.padding, kernel, stride, dilation)
  const outputPadding = transposed ? perDimension(options.outputPadding, count, 'output_padding') : []
  checkNumbers(stride, padding, dilation, outputPadding, groups)
  checkChannels(input, weight, bias, groups, transposed)
  const sizes = input.sizes.slice(2)
  const output = transposed
    ? transposedSizes(sizes, kernel, stride, padding, dilation, outputPadding)
    : options.padding === 'same'
      ? sizes
      : forwardSizes(sizes, kernel, stride, padding, dilation)
  const outputChannels = transposed ? weight.sizes[1]! * groups : weight.sizes[0]!
  return { stride, padding, dilation, kernel, input: sizes, output, groups, transposed, outputChannels }
}

function paddingBefore(
  padding: ConvolutionOptions['padding'],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): readonly number[] {
  if (padding === 'valid') return kernel.map(() => 0)
  if (padding !== 'same') return perDimension(padding, kernel.length, 'padding')
  if (stride.some((step) => step !== 1))
    throw new OperatorArgumentError("padding='same' is not supported for strided convolutions", {
      argument: 'padding',
    })
  return kernel.map((size, i) => Math.floor((dilation[i]! * (size - 1)) / 2))
}

function checkNumbers(
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  outputPadding: readonly number[],
  groups: number,
): void {
  const refuse = (found: string, argument: string): never => {
    throw new OperatorArgumentError(found, { argument })
  }
  if (padding.some((n) => n < 0))
    refuse(`negative padding is not supported: ${sizesText(padding)}`, 'padding')
  if (outputPadding.some((n) => n < 0))
    refuse(`negative output_padding is not supported: ${sizesText(outputPadding)}`, 'output_padding')
  if (stride.some((n) => n <= 0))
    refuse(`non-positive stride is not supported: ${sizesText(stride)}`, 'stride')
  if (dilation.some((n) => n <= 0))
    refuse(`dilation should be greater than zero: ${sizesText(dilation)}`, 'dilation')
  if (groups <= 0) refuse(`non-positive groups is not supported: ${groups}`, 'groups')
  outputPadding.forEach((n, i) => {
    if (n >= stride[i]! && n >= dilation[i]!)
      refuse(
        `output padding must be smaller than either stride or dilation, but got output_padding ${n}, ` +
          `stride ${stride[i]!}, dilation ${dilation[i]!}`,
        'output_padding',
      )
  })
}

function checkChannels(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  transposed: boolean,
): void {
  const [first, second] = weight.sizes as [number, number]
  const size = sizesText(weight.sizes)
  if (input.dim !== weight.dim)
    throw new OperatorArgumentError(
      `expected ${weight.dim}-dimensional input for ${weight.dim}-dimensional weight ${size}, ` +
        `but got ${input.dim}-dimensional input of size ${sizesText(input.sizes)} instead`,
      { argument: 'input' },
    )
  if (first < groups || first % groups !== 0)
    throw new OperatorArgumentError(
      `given groups=${groups}, expected weight to be ${first < groups ? 'at least' : 'divisible by'} ${groups} ` +
        `at dimension 0, but got weight of size ${size} instead`,
      { argument: 'weight' },
    )
  const channels = transposed ? first : second * groups
  if (input.sizes[1] !== channels)
    throw new OperatorArgumentError(
      `given ${transposed ? 'transposed=1' : `groups=${groups}`}, weight of size ${size}, ` +
        `expected input${sizesText(input.sizes)} to have ${channels} channels, ` +
        `but got ${input.sizes[1]!} channels instead`,
      { argument: 'input' },
    )
  const elements = transposed ? second * groups : first
  if (bias !== null && (bias.dim !== 1 || bias.sizes[0] !== elements))
    throw new OperatorArgumentError(
      `given weight of size ${size}, expected bias to be 1-dimensional with ${elements} elements, ` +
        `but got bias of size ${sizesText(bias.sizes)} instead`,
      { argument: 'bias' },
    )
}

function forwardSizes(
  input: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
): number[] {
  const padded = input.map((size, i) => size + 2 * padding[i]!)
  const extent = kernel.map((size, i) => dilation[i]! * (size - 1) + 1)
  if (extent.some((size, i) => size > padded[i]!))
    throw new OperatorArgumentError(
      `calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${extent.join(' x ')}). ` +
        "Kernel size can't be greater than actual input size",
      { argument: 'input' },
    )
  return padded.map((size, i) => Math.floor((size - extent[i]!) / stride[i]!) + 1)
}

function transposedSizes(
  input: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  outputPadding: readonly number[],
): number[] {
  const output = input.map(
    (size, i) =>
      (size - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (kernel[i]! - 1) + outputPadding[i]! + 1,
  )
  if (output.some((size) => size <= 0))
    throw new OperatorArgumentError(
      `given input size per channel: (${input.join(' x ')}). ` +
        `Calculated output size per channel: (${output.join(' x ')}). Output size is too small`,
      { argument: 'input' },
    )
  return output
}
