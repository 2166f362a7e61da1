import type { Tensor } from '../tensor/tensor.ts'
import type { ConvolutionGeometry } from './convolution-geometry.ts'
import type { ColumnSource } from './gemm.ts'
import { tabulate } from './scratch.ts'

/**
 * For each kernel tap and output position of the three spatial dimensions: how far the input element that meets
 * them lies from the first, in elements of the storage, or -1 where there is none. It is the one place where
 * forward and transposed convolution differ.
 */
export interface TapOffsets {
  /** Depth, height, width; `[tap · output size + position]`. */
  readonly offsets: readonly [Int32Array, Int32Array, Int32Array]
  readonly kernel: readonly number[]
  readonly output: readonly number[]
  /** The output columns (first, end) where every tap across the width meets an element, and they step evenly. */
  readonly interior: readonly [number, number]
  /** From each of them to the next, between elements; and where each tap would be at column 0. */
  readonly widthStep: number
  readonly widthOrigins: readonly number[]
}

/** `geometry` must have three spatial dimensions, `strides` are those of the input's. */
export function tapOffsets(geometry: ConvolutionGeometry, strides: readonly number[]): TapOffsets {
  const { kernel, output } = geometry
  const of = (dim: number): Int32Array => offsetsOfDimension(geometry, dim, strides[dim]!)
  return { offsets: [of(0), of(1), of(2)], kernel, output, ...interiorOf(geometry, strides[2]!) }
}

/** None of a transposed convolution with a stride: there the taps meet every so many columns only. */
function interiorOf(
  geometry: ConvolutionGeometry,
  inputStride: number,
): Pick<TapOffsets, 'interior' | 'widthStep' | 'widthOrigins'> {
  const [taps, width, input] = [geometry.kernel[2]!, geometry.output[2]!, geometry.input[2]!]
  const origins = Array.from({ length: taps }, (_, tap) => inputIndex(geometry, 2, tap, 0))
  const step = inputIndex(geometry, 2, 0, 1) - inputIndex(geometry, 2, 0, 0)
  const first = Math.max(0, Math.ceil(-Math.min(...origins) / step))
  const end = Math.min(width, Math.floor((input - 1 - Math.max(...origins)) / step) + 1)
  return {
    interior: Number.isInteger(step) && first < end ? [first, end] : [0, 0],
    widthStep: step * inputStride,
    widthOrigins: origins.map((index) => index * inputStride),
  }
}

function offsetsOfDimension(geometry: ConvolutionGeometry, dim: number, inputStride: number): Int32Array {
  const output = geometry.output[dim]!
  const input = geometry.input[dim]!
  const offsets = tabulate(geometry.kernel[dim]! * output, () => -1)
  for (let tap = 0, at = 0; tap < geometry.kernel[dim]!; tap++)
    for (let position = 0; position < output; position++, at++) {
      const index = inputIndex(geometry, dim, tap, position)
      offsets[at] = Number.isInteger(index) && index >= 0 && index < input ? index * inputStride : -1
    }
  return offsets
}

/** Where an output position meets a tap; of a transposed convolution it may fall between two elements. */
function inputIndex(geometry: ConvolutionGeometry, dim: number, tap: number, position: number): number {
  const stride = geometry.stride[dim]!
  const padding = geometry.padding[dim]!
  const reach = tap * geometry.dilation[dim]!
  return geometry.transposed ? (position + padding - reach) / stride : position * stride - padding + reach
}

/**
 * The columns of one image and group for the product with the weights: one per output position, channels × taps
 * deep. They are gathered four at a time and never exist all at once.
 */
export function convolutionColumns(
  taps: TapOffsets,
  input: Tensor,
  firstElement: number,
  channels: number,
): ColumnSource {
  const data = input.data as Float32Array | Float64Array
  const channelStride = input.strides[1]!
  const { kernel, output } = taps
  const tapCount = kernel[0]! * kernel[1]! * kernel[2]!
  const columns = output[0]! * output[1]! * output[2]!
  const found = new Int32Array(4)
  return {
    columns,
    packColumns(panel, at, column) {
      const count = Math.min(4, columns - column)
      for (let tap = 0; tap < tapCount; tap++) {
        locate(found, taps, tap, column, count)
        gather(panel, at + 4 * tap, 4 * tapCount, data, firstElement, channelStride, channels, found)
      }
    },
  }
}

/** Where the elements of up to four neighbouring columns lie for a tap. */
function locate(found: Int32Array, taps: TapOffsets, tap: number, column: number, count: number): void {
  const [depths, heights, widths] = taps.offsets
  const [, kernelHeight, kernelWidth] = taps.kernel as [number, number, number]
  const [depth, height, width] = taps.output as [number, number, number]
  const kw = tap % kernelWidth
  const rest = (tap - kw) / kernelWidth
  const kh = rest % kernelHeight
  const kd = (rest - kh) / kernelHeight
  found.fill(-1)
  for (let c = 0; c < count; c++) {
    const w = (column + c) % width
    const line = (column + c - w) / width
    const h = line % height
    const d = (line - h) / height
    const [od, oh, ow] = [depths[kd * depth + d]!, heights[kh * height + h]!, widths[kw * width + w]!]
    if (od >= 0 && oh >= 0 && ow >= 0) found[c] = od + oh + ow
  }
}

function gather(
  panel: Float64Array,
  to: number,
  step: number,
  data: Float32Array | Float64Array,
  first: number,
  channelStride: number,
  channels: number,
  found: Int32Array,
): void {
  const p0 = found[0]!
  const p1 = found[1]!
  const p2 = found[2]!
  const p3 = found[3]!
  for (let channel = 0, from = first; channel < channels; channel++, from += channelStride, to += step) {
    panel[to] = p0 < 0 ? 0 : data[from + p0]!
    panel[to + 1] = p1 < 0 ? 0 : data[from + p1]!
    panel[to + 2] = p2 < 0 ? 0 : data[from + p2]!
    panel[to + 3] = p3 < 0 ? 0 : data[from + p3]!
  }
}
