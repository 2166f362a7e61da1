import { floatsOf, forKernel, fromKernel } from '../../ops/float-compute.ts'
import { convert, dense, emptyLike, floatData } from '../../ops/tensor-access.ts'
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

/** A number for the first two indices of a weight; a weight of one dimension has second indices 0 only. */
export type ByIndices = (i0: number, i1: number) => number

/** Calls `visit` for each pair of first two indices, in order, with the number of elements that have them. */
function eachPair(weight: Tensor, visit: (i0: number, i1: number, inner: number) => void): void {
  const [n0 = 1, n1 = 1] = weight.sizes
  const inner = weight.numel / Math.max(n0 * n1, 1)
  for (let i0 = 0; i0 < n0; i0++) for (let i1 = 0; i1 < n1; i1++) visit(i0, i1, inner)
}

/**
 * Multiplies every element of `weight` by a factor that depends on its first two indices.
 *
 * @returns a tensor of the same dtype, sizes and order in memory
 */
export function scaleWeight(weight: Tensor, factorAt: ByIndices): Tensor {
  const source = forKernel(dense(weight))
  const scaled = emptyLike(source)
  const from = floatsOf(source)
  const to = floatsOf(scaled)
  const base = source.storageOffset
  if (source.isContiguous) {
    let at = 0
    eachPair(source, (i0, i1, inner) => {
      const factor = factorAt(i0, i1)
      for (const end = at + inner; at < end; at++) to[at] = (from[base + at] as number) * factor
    })
  } else {
    const offsets = offsetsOf(source)
    eachPair(source, (i0, i1, inner) => {
      const factor = factorAt(i0, i1)
      for (let i = 0; i < inner; i++) {
        const at = offsets.next().value as number
        to[at - base] = (from[at] as number) * factor
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
  let at = 0
  eachPair(weight, (i0, i1, inner) => {
    const bin = binAt(i0, i1)
    const factor = factorAt(i0, i1)
    let sum = 0
    for (const end = at + inner; at < end; at++) sum += data[at] as number
    sums[bin] = (sums[bin] ?? 0) + sum * factor
  })
  return sums
}

/** The largest magnitude of the elements times their factors in each of `count` bins; NaN where there is a NaN. */
export function largestMagnitudes(
  weight: Tensor,
  count: number,
  binAt: ByIndices,
  factorAt: ByIndices,
): Float64Array {
  const data = floatData(weight)
  const largest = new Float64Array(count)
  let at = 0
  eachPair(weight, (i0, i1, inner) => {
    const bin = binAt(i0, i1)
    let most = 0
    for (const end = at + inner; at < end; at++) most = Math.max(most, Math.abs(data[at] as number))
    largest[bin] = Math.max(largest[bin] ?? 0, most * Math.abs(factorAt(i0, i1)))
  })
  return largest
}
