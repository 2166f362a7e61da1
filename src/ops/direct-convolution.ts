import type { TapOffsets } from './convolution-columns.ts'

type Floats = Float32Array | Float64Array

/** One output channel, and the few input channels that make it. */
export interface DirectChannel {
  readonly input: Floats
  readonly inputOffset: number
  readonly inputChannels: number
  readonly inputChannelStride: number
  /** The kernel, input channel by input channel, taps in row-major order. */
  readonly weight: Float64Array
  readonly bias: number
  readonly output: Floats
  readonly outputOffset: number
  /** Between neighbouring output positions. */
  readonly outputStride: number
}

/** The kernel's lines that meet the input at one line of outputs. */
interface Lines {
  count: number
  /** Where in the input each of them begins. */
  readonly bases: Int32Array
  /** Their weights, line by line, and the element each meets at output position 0 (which may not exist). */
  readonly weights: Float64Array
  readonly elements: Int32Array
}

/**
 * Convolves one output channel, a line of outputs at a time: with a depth of a few taps, packing a matrix would
 * cost more than the product.
 */
export function convolveChannel(channel: DirectChannel, taps: TapOffsets): void {
  const [depth, height, width] = taps.output as [number, number, number]
  const [first, end] = taps.interior
  const lines: Lines = {
    count: 0,
    bases: new Int32Array(channel.weight.length),
    weights: new Float64Array(channel.weight.length),
    elements: new Int32Array(channel.weight.length),
  }
  for (let d = 0; d < depth; d++)
    for (let h = 0; h < height; h++) {
      findLines(lines, channel, taps, d, h)
      const at = channel.outputOffset + (d * height + h) * width * channel.outputStride
      sumEdge(channel, taps, lines, at, 0, first)
      sumInterior(channel, lines.weights, lines.elements, lines.count * taps.kernel[2]!, at, taps)
      sumEdge(channel, taps, lines, at, end, width)
    }
}

function findLines(lines: Lines, channel: DirectChannel, taps: TapOffsets, d: number, h: number): void {
  const [depths, heights] = taps.offsets
  const [kernelDepth, kernelHeight, kernelWidth] = taps.kernel as [number, number, number]
  lines.count = 0
  let tap = 0
  for (let c = 0; c < channel.inputChannels; c++)
    for (let kd = 0; kd < kernelDepth; kd++)
      for (let kh = 0; kh < kernelHeight; kh++, tap += kernelWidth) {
        const plane = depths[kd * taps.output[0]! + d]!
        const line = heights[kh * taps.output[1]! + h]!
        if (plane < 0 || line < 0) continue
        const base = channel.inputOffset + c * channel.inputChannelStride + plane + line
        const to = lines.count * kernelWidth
        lines.bases[lines.count++] = base
        for (let kw = 0; kw < kernelWidth; kw++) {
          lines.weights[to + kw] = channel.weight[tap + kw]!
          lines.elements[to + kw] = base + taps.widthOrigins[kw]!
        }
      }
}

/** Positions where some taps of each line meet nothing. */
function sumEdge(
  channel: DirectChannel,
  taps: TapOffsets,
  lines: Lines,
  at: number,
  first: number,
  end: number,
): void {
  const widths = taps.offsets[2]
  const kernelWidth = taps.kernel[2]!
  const width = taps.output[2]!
  for (let position = first; position < end; position++) {
    let sum = channel.bias
    for (let line = 0, tap = 0; line < lines.count; line++)
      for (let kw = 0; kw < kernelWidth; kw++, tap++) {
        const offset = widths[kw * width + position]!
        if (offset >= 0) sum += lines.weights[tap]! * channel.input[lines.bases[line]! + offset]!
      }
    channel.output[at + position * channel.outputStride] = sum
  }
}

/** Positions where every tap of each line meets an element: four at a time, their sums in locals. */
function sumInterior(
  { input, output, outputStride, bias }: DirectChannel,
  weights: Float64Array,
  elements: Int32Array,
  taps: number,
  line: number,
  { interior: [first, end], widthStep: step }: TapOffsets,
): void {
  let position = first
  let at = line + first * outputStride
  for (; position + 4 <= end; position += 4, at += 4 * outputStride) {
    let s0 = bias
    let s1 = bias
    let s2 = bias
    let s3 = bias
    for (let tap = 0; tap < taps; tap++) {
      const weight = weights[tap]!
      const from = elements[tap]! + position * step
      s0 += weight * input[from]!
      s1 += weight * input[from + step]!
      s2 += weight * input[from + 2 * step]!
      s3 += weight * input[from + 3 * step]!
    }
    output[at] = s0
    output[at + outputStride] = s1
    output[at + 2 * outputStride] = s2
    output[at + 3 * outputStride] = s3
  }
  for (; position < end; position++, at += outputStride) {
    let sum = bias
    for (let tap = 0; tap < taps; tap++) sum += weights[tap]! * input[elements[tap]! + position * step]!
    output[at] = sum
  }
}
