import type { Tensor } from '../tensor/tensor.ts'
import { floatsOf, kernelDType } from './float-compute.ts'
import { scratchDoubles, tabulate } from './scratch.ts'
import { allocateFor, floatData } from './tensor-access.ts'

/** For each output position of a dimension, `taps` input positions and what each of them counts. */
export interface ResamplingTable {
  readonly input: number
  readonly output: number
  readonly taps: number
  readonly positions: Int32Array
  readonly weights: Float64Array
}

/** How one dimension is resampled: sizes, and the factor between them where the caller named one. */
export interface Resampling {
  readonly input: number
  readonly output: number
  readonly alignCorners: boolean
  readonly factor: number | null
  /** Rounds to the precision in which libtorch finds positions: that of the tensor, float32 for nearest. */
  readonly round: (x: number) => number
}

/** Input positions per output position (`area_pixel_compute_scale` of aten/src/ATen/native/UpSample.h). */
function positionScale({ input, output, alignCorners, factor, round }: Resampling): number {
  if (alignCorners) return output > 1 ? round((input - 1) / (output - 1)) : 0
  return round(factor !== null && factor > 0 ? 1 / factor : input / output)
}

function tableOf(
  { input, output }: Resampling,
  taps: number,
  fill: (position: number, write: (tap: number, at: number, weight: number) => void) => void,
): ResamplingTable {
  const positions = tabulate(output * taps, () => 0)
  const weights = scratchDoubles(output * taps)
  for (let position = 0; position < output; position++)
    fill(position, (tap, at, weight) => {
      positions[position * taps + tap] = Math.min(Math.max(at, 0), input - 1)
      weights[position * taps + tap] = weight
    })
  return { input, output, taps, positions, weights }
}

/** The input pixel whose area an output pixel's corner falls into, or with `exact` its centre. */
export function nearestTable(resampling: Resampling, exact: boolean): ResamplingTable {
  const { round } = resampling
  const scale = positionScale(resampling)
  return tableOf(resampling, 1, (position, write) =>
    write(0, Math.floor(round((exact ? position + 0.5 : position) * scale)), 1),
  )
}

/** Where the centre of an output pixel falls, in input pixels; libtorch rounds the scale, but not this. */
function sourcePosition({ alignCorners }: Resampling, scale: number, position: number): number {
  return alignCorners ? scale * position : scale * (position + 0.5) - 0.5
}

/** Between the two nearest input pixels, by distance. */
export function linearTable(resampling: Resampling): ResamplingTable {
  const { input, output } = resampling
  const scale = positionScale(resampling)
  return tableOf(resampling, 2, (position, write) => {
    const source = output === input ? position : Math.max(sourcePosition(resampling, scale, position), 0)
    const first = Math.min(Math.floor(source), input - 1)
    const share = Math.min(source - first, 1)
    write(0, first, 1 - share)
    write(1, first + 1, share)
  })
}

/** Keys' cubic convolution over four input pixels, sharpness A. */
export function cubicTable(resampling: Resampling): ResamplingTable {
  const scale = positionScale(resampling)
  return tableOf(resampling, 4, (position, write) => {
    const source = sourcePosition(resampling, scale, position)
    const first = Math.floor(source)
    for (let tap = 0; tap < 4; tap++) write(tap, first + tap - 1, cubic(source - first - tap + 1, -0.75))
  })
}

/** Keys 1981, Cubic convolution interpolation for digital image processing. */
export function cubic(distance: number, sharpness: number): number {
  const x = Math.abs(distance)
  if (x < 1) return ((sharpness + 2) * x - (sharpness + 3)) * x * x + 1
  return x < 2 ? ((sharpness * x - 5 * sharpness) * x + 8 * sharpness) * x - 4 * sharpness : 0
}

/** A filter of the given radius, stretched to cover all input pixels when shrinking (`antialias=True`). */
export function antialiasTable(
  resampling: Resampling,
  radius: number,
  filter: (distance: number) => number,
): ResamplingTable {
  const { input } = resampling
  const scale = positionScale(resampling)
  const stretch = Math.max(scale, 1)
  const support = radius * stretch
  const taps = Math.ceil(support) * 2 + 1
  return tableOf(resampling, taps, (position, write) => {
    const center = scale * (position + 0.5)
    const first = Math.max(Math.trunc(center - support + 0.5), 0)
    const last = Math.min(Math.trunc(center + support + 0.5), input)
    const weights: number[] = []
    for (let at = first; at < last; at++) weights.push(filter((at - center + 0.5) / stretch))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    weights.forEach((weight, tap) => write(tap, first + tap, total === 0 ? weight : weight / total))
  })
}

export const triangle = (distance: number): number => Math.max(1 - Math.abs(distance), 0)

/** Resamples the last dimensions, one table each, the last one first; row-major, in doubles until the end. */
export function resample(input: Tensor, tables: readonly ResamplingTable[]): Tensor {
  const lead = input.sizes.slice(0, input.dim - tables.length)
  const sizes = [...lead, ...tables.map(({ output }) => output)]
  const result = allocateFor([input], kernelDType(input.dtype), sizes)
  if (result.isMeta) return result
  const [data, out] = [floatData(input), floatsOf(result)]
  const stages = stagesOf(tables)
  const [before, after] = [
    product(tables.map((table) => table.input)),
    product(tables.map((table) => table.output)),
  ]
  // One plane after the other: what is between two stages stays in the caches.
  for (let from = 0, to = 0; to < out.length; from += before, to += after) {
    let plane: Floats = data.subarray(from, from + before)
    for (const stage of stages) plane = runStage(plane, stage)
    out.set(plane, to)
  }
  return result
}

type Floats = Float32Array | Float64Array

/** One dimension of a plane: `outer` × input × `inner` to `outer` × output × `inner`. */
interface Stage {
  readonly table: ResamplingTable
  readonly outer: number
  readonly inner: number
  /** Memory for its result. */
  readonly result: Float64Array
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((n, each) => n * each, 1)
}

/** The last dimension first. */
function stagesOf(tables: readonly ResamplingTable[]): Stage[] {
  return tables
    .map((table, i) => {
      const outer = product(tables.slice(0, i).map(({ input }) => input))
      const inner = product(tables.slice(i + 1).map(({ output }) => output))
      return { table, outer, inner, result: scratchDoubles(outer * table.output * inner) }
    })
    .reverse()
}

function runStage(data: Floats, stage: Stage): Float64Array {
  if (stage.inner === 1) resampleLines(data, stage)
  else resampleRows(data, stage)
  return stage.result
}

function resampleLines(data: Floats, { table, outer, result }: Stage): void {
  const { input, output, taps, positions, weights } = table
  for (let line = 0, from = 0, to = 0; line < outer; line++, from += input)
    for (let tap = 0; tap < output * taps; to++) {
      let sum = 0
      for (const end = tap + taps; tap < end; tap++) {
        const weight = weights[tap]!
        // An infinite pixel that counts for nothing must not make a NaN.
        if (weight !== 0) sum += weight * data[from + positions[tap]!]!
      }
      result[to] = sum
    }
}

function resampleRows(data: Floats, { table, outer, inner, result }: Stage): void {
  const { input, output, taps, positions, weights } = table
  result.fill(0)
  for (let line = 0, to = 0; line < outer; line++)
    for (let position = 0; position < output; position++, to += inner)
      for (let tap = position * taps, end = tap + taps; tap < end; tap += 2) {
        const second = tap + 1 < end ? weights[tap + 1]! : 0
        const from = (line * input + positions[tap]!) * inner
        const other = second === 0 ? from : (line * input + positions[tap + 1]!) * inner
        addTwo(result, to, data, [from, other], [weights[tap]!, second], inner)
      }
}

/** Adds two stretches, times their weights; one that counts for nothing is not read. */
function addTwo(
  result: Float64Array,
  to: number,
  data: Floats,
  [a, b]: readonly [number, number],
  [weightA, weightB]: readonly [number, number],
  length: number,
): void {
  if (weightA !== 0 && weightB !== 0)
    for (let i = 0; i < length; i++) result[to + i]! += weightA * data[a + i]! + weightB * data[b + i]!
  else if (weightA !== 0) for (let i = 0; i < length; i++) result[to + i]! += weightA * data[a + i]!
  else if (weightB !== 0) for (let i = 0; i < length; i++) result[to + i]! += weightB * data[b + i]!
}
