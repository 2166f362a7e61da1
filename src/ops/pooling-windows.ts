import type { Tensor } from '../tensor/tensor.ts'
import { perDimension, sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { tabulate } from './scratch.ts'

/** Which input positions each output position of one dimension looks at: `start`, `start + step`, … before `end`. */
export interface Windows {
  readonly start: Int32Array
  readonly end: Int32Array
  readonly step: number
  /** Positions with the padding that counts, for averages. */
  readonly counted: Int32Array
  readonly input: number
}

export interface PoolingOptions {
  readonly kernel: readonly number[]
  /** The kernel's size where it is empty. */
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly ceilMode: boolean
}

/**
 * The windows of each spatial dimension (aten/src/ATen/native/Pool.h). With `ceilMode` a last, partial window is
 * added, if it starts inside the input or the padding in front of it.
 *
 * @throws OperatorArgumentError for illegal numbers or an input too small
 */
export function slidingWindows(sizes: readonly number[], options: PoolingOptions): Windows[] {
  const { length } = sizes
  const kernel = perDimension(options.kernel, length, 'kernel_size')
  const stride = options.stride.length === 0 ? kernel : perDimension(options.stride, length, 'stride')
  const padding = perDimension(options.padding, length, 'padding')
  const dilation = perDimension(options.dilation, length, 'dilation')
  checkNumbers(kernel, stride, padding, dilation)
  return sizes.map((size, i) => {
    const window = {
      kernel: kernel[i]!,
      stride: stride[i]!,
      padding: padding[i]!,
      dilation: dilation[i]!,
    }
    return windowsOf(size, window, options.ceilMode)
  })
}

function checkNumbers(
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
): void {
  const refuse = (found: string, argument: string): never => {
    throw new OperatorArgumentError(found, { argument })
  }
  if (kernel.some((size) => size <= 0))
    refuse(`kernel size should be greater than zero, but got ${sizesText(kernel)}`, 'kernel_size')
  if (stride.some((step) => step <= 0))
    refuse(`stride should not be zero or negative, but got ${sizesText(stride)}`, 'stride')
  if (dilation.some((step) => step <= 0))
    refuse(`dilation should be greater than zero, but got ${sizesText(dilation)}`, 'dilation')
  padding.forEach((pad, i) => {
    if (pad < 0) refuse(`pad must be non-negative, but got pad: ${pad}`, 'padding')
    if (pad > kernel[i]! / 2)
      refuse(
        `pad should be at most half of kernel size, but got pad=${pad} and kernel_size=${kernel[i]!}`,
        'padding',
      )
  })
}

interface Window {
  readonly kernel: number
  readonly stride: number
  readonly padding: number
  readonly dilation: number
}

function windowsOf(input: number, window: Window, ceilMode: boolean): Windows {
  const { kernel, stride, padding, dilation } = window
  const output = pooledSize(input, window, ceilMode)
  const first = (i: number): number => i * stride - padding
  const table = (value: (position: number) => number): Int32Array =>
    tabulate(Math.max(output, 0), (i) => value(first(i)))
  const inside = (position: number): number =>
    position >= 0 ? position : position + Math.ceil(-position / dilation) * dilation
  return {
    start: table(inside),
    end: table((at) => Math.min(at + (kernel - 1) * dilation + 1, input)),
    step: dilation,
    counted: table((at) => Math.min(at + kernel, input + padding) - at),
    input,
  }
}

function pooledSize(input: number, { kernel, stride, padding, dilation }: Window, ceilMode: boolean): number {
  const room = input + 2 * padding - dilation * (kernel - 1) - 1
  const size = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  return ceilMode && (size - 1) * stride >= input + padding ? size - 1 : size
}

/**
 * Windows that divide the input as evenly as possible into `output` overlapping stretches: from ⌊i·in/out⌋ to
 * ⌈(i+1)·in/out⌉.
 */
export function adaptiveWindows(input: number, output: number): Windows {
  const start = tabulate(output, (i) => Math.floor((i * input) / output))
  const end = tabulate(output, (i) => Math.ceil(((i + 1) * input) / output))
  return { start, end, step: 1, counted: end.map((last, i) => last - start[i]!), input }
}

/** @throws OperatorArgumentError unless there are `spatial` + 1 or + 2 dimensions, none but the batch empty */
export function checkPoolingInput(input: Tensor, spatial: number, name: string): void {
  const batched = input.dim === spatial + 2
  const filled = input.sizes.every((size, dim) => size > 0 || (batched && dim === 0))
  if ((batched || input.dim === spatial + 1) && filled) return
  throw new OperatorArgumentError(
    `${name}: expected ${spatial + 1}D or ${spatial + 2}D (batch mode) tensor with optional 0 dim batch size ` +
      `for input, but got: ${sizesText(input.sizes)}`,
    { argument: 'input' },
  )
}

/** @throws OperatorArgumentError where a dimension has less than `least` windows */
export function requireOutput(input: Tensor, windows: readonly Windows[], least = 1): void {
  if (windows.every(({ start }) => start.length >= least)) return
  const planes = input.sizes.at(-windows.length - 1)!
  const sizes = (list: readonly number[]): string => `(${[planes, ...list].join('x')})`
  throw new OperatorArgumentError(
    `given input size: ${sizes(windows.map((one) => one.input))}. ` +
      `Calculated output size: ${sizes(windows.map(({ start }) => start.length))}. Output size is too small`,
    { argument: 'input' },
  )
}
