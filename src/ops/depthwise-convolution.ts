import type { TapOffsets } from './convolution-columns.ts'

type Floats = Float32Array | Float64Array

/** One input channel, and the output channel that it alone makes. */
export interface DepthwiseChannel {
  readonly input: Floats
  readonly inputOffset: number
  /** The channel's kernel, taps in row-major order. */
  readonly weight: Float64Array
  readonly bias: number
  readonly output: Floats
  readonly outputOffset: number
  /** Between neighbouring output positions. */
  readonly outputStride: number
}

/**
 * Convolves one channel with one kernel, a line of outputs at a time: with a depth of a few taps, packing a matrix
 * would cost more than the product.
 */
export function convolveChannel(channel: DepthwiseChannel, taps: TapOffsets): void {
  const [depth, height, width] = taps.output as [number, number, number]
  const sums = new Float64Array(width)
  let at = channel.outputOffset
  for (let d = 0; d < depth; d++)
    for (let h = 0; h < height; h++) {
      sums.fill(channel.bias)
      addLines(sums, channel, taps, d, h)
      for (let w = 0; w < width; w++, at += channel.outputStride) channel.output[at] = sums[w]!
    }
}

function addLines(
  sums: Float64Array,
  channel: DepthwiseChannel,
  { offsets, kernel, output }: TapOffsets,
  d: number,
  h: number,
): void {
  const [depths, heights, widths] = offsets
  const [kernelDepth, kernelHeight, kernelWidth] = kernel as [number, number, number]
  for (let kd = 0, tap = 0; kd < kernelDepth; kd++)
    for (let kh = 0; kh < kernelHeight; kh++) {
      const line = [depths[kd * output[0]! + d]!, heights[kh * output[1]! + h]!] as const
      for (let kw = 0; kw < kernelWidth; kw++, tap++)
        if (line[0] >= 0 && line[1] >= 0)
          addLine(
            sums,
            channel.input,
            channel.inputOffset + line[0] + line[1],
            widths,
            kw * sums.length,
            channel.weight[tap]!,
          )
    }
}

function addLine(
  sums: Float64Array,
  input: Floats,
  base: number,
  offsets: Int32Array,
  first: number,
  weight: number,
): void {
  for (let w = 0; w < sums.length; w++) {
    const offset = offsets[first + w]!
    if (offset >= 0) sums[w]! += weight * input[base + offset]!
  }
}
