import { floatsOf, forKernel, fromKernel } from '../../ops/float-compute.ts'
import { convert, dense, denseData, emptyLike, floatData } from '../../ops/tensor-access.ts'
import { dtypes, type DType } from '../../tensor/dtype.ts'
import { Tensor } from '../../tensor/tensor.ts'

/*
 * Arithmetic on weights at compile time. It is done in double precision and rounded once, so that folding does not
 * add up rounding errors.
 */

/** Whether the tensor holds plain floating-point numbers that we can compute with. */
export function isPlainFloat(tensor: Tensor): boolean {
  return dtypes[tensor.dtype].category === 'floating' && tensor.quantizer === undefined && !tensor.isMeta
}

/** Where the elements lie in the storage, in row-major order. */
export function* offsetsOf({ sizes, strides, dim, numel, storageOffset }: Tensor): Generator<number> {
  const index = new Array<number>(dim).fill(0)
  let position = storageOffset
  for (let i = 0; i < numel; i++) {
    yield position
    for (let d = dim - 1; d >= 0; d--) {
      position += strides[d] as number
      if (++(index[d] as number) < (sizes[d] as number)) break
      position -= (index[d] as number) * (strides[d] as number)
      index[d] = 0
    }
  }
}

/** The elements in row-major order. */
export function elementsOf(tensor: Tensor): Float64Array {
  return Float64Array.from(floatData(tensor))
}

/** A vector of the dtype. */
export function vectorOf(elements: Float64Array, dtype: DType): Tensor {
  return convert(Tensor.from('float64', [elements.length], elements), dtype)
}

/** A number for the first two indices of a weight. */
export type ByIndices = (i0: number, i1: number) => number

/** How many of the first two indices matter: long runs of elements are faster. */
export type Leading = 1 | 2

type Visit = (i0: number, i1: number, start: number, end: number) => void

/** Calls `visit` for the leading indices with where their elements begin and end in row-major order. */
function eachRun({ sizes, numel }: Tensor, leading: Leading, visit: Visit): void {
  const n0 = sizes[0] ?? 1
  const n1 = leading === 2 ? (sizes[1] ?? 1) : 1
  const length = numel / Math.max(n0 * n1, 1)
  let start = 0
  for (let i0 = 0; i0 < n0; i0++)
    for (let i1 = 0; i1 < n1; i1++, start += length) visit(i0, i1, start, start + length)
}

type Floats = Float32Array | Float64Array

function scaleRun(to: Floats, from: Floats, start: number, end: number, factor: number): void {
  for (let i = start; i < end; i++) to[i] = (from[i] as number) * factor
}

function sumOfRun(data: Floats, start: number, end: number): number {
  let sum = 0
  for (let i = start; i < end; i++) sum += data[i] as number
  return sum
}

/** NaN where there is a NaN. */
function largestOfRun(data: Floats, start: number, end: number): number {
  let largest = 0
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(data[i] as number)
    if (magnitude <= largest) continue
    if (Number.isNaN(magnitude)) return magnitude
    largest = magnitude
  }
  return largest
}

/**
 * Multiplies every element of `weight` by a factor that depends on its leading indices.
 *
 * @returns a tensor of the same dtype, sizes and order in memory
 */
export function scaleWeight(weight: Tensor, leading: Leading, factorAt: ByIndices): Tensor {
  const source = forKernel(dense(weight))
  const scaled = emptyLike(source)
  const from = denseData(source) as Floats
  const to = floatsOf(scaled)
  if (source.isContiguous)
    eachRun(source, leading, (i0, i1, start, end) => scaleRun(to, from, start, end, factorAt(i0, i1)))
  else {
    const offsets = offsetsOf(scaled)
    eachRun(source, leading, (i0, i1, start, end) => {
      const factor = factorAt(i0, i1)
      for (let i = start; i < end; i++) {
        const at = offsets.next().value as number
        to[at] = (from[at] as number) * factor
      }
    })
  }
  return fromKernel(scaled, weight.dtype)
}

/** Sums each element times a factor over the weight, into `count` bins that `binAt` chooses. */
export function weightedSums(
  weight: Tensor,
  count: number,
  binAt: ByIndices,
  factorAt: ByIndices,
): Float64Array {
  const data = floatData(weight)
  const sums = new Float64Array(count)
  eachRun(weight, 2, (i0, i1, start, end) => {
    const bin = binAt(i0, i1)
    sums[bin] = (sums[bin] ?? 0) + sumOfRun(data, start, end) * factorAt(i0, i1)
  })
  return sums
}

/** The largest magnitude of the elements times their factors in each of `count` bins; NaN where there is a NaN. */
export function largestMagnitudes(
  weight: Tensor,
  count: number,
  leading: Leading,
  binAt: ByIndices,
  factorAt: ByIndices,
): Float64Array {
  const data = floatData(weight)
  const largest = new Float64Array(count)
  eachRun(weight, leading, (i0, i1, start, end) => {
    const bin = binAt(i0, i1)
    const magnitude = largestOfRun(data, start, end) * Math.abs(factorAt(i0, i1))
    largest[bin] = Math.max(largest[bin] ?? 0, magnitude)
  })
  return largest
}
