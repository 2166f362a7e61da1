import { dtypeFromCode, type DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { refuseComplex, type NumberArray } from './convert.ts'
import { wrapDimensions } from './dimension.ts'
import { allocate, contiguousData, convert } from './tensor-access.ts'

const noData: NumberArray = new Float64Array(0)

/** A tensor seen as rows to be reduced, one after the other in memory. */
export interface Rows {
  /** int64 elements are bigints. */
  readonly data: NumberArray
  readonly isMeta: boolean
  readonly count: number
  readonly length: number
  /** Sizes of what is left. */
  readonly keptSizes: readonly number[]
  /** The same, with 1 for each reduced dimension. */
  readonly unreducedSizes: readonly number[]
}

/**
 * Brings the dimensions to be reduced together at the end, copying only if they are not there already.
 * None and an empty list mean all dimensions.
 */
export function rowsOf(self: Tensor, dims: readonly number[] | null): Rows {
  refuseComplex(self.dtype)
  const reduced = wrapDimensions(dims, self.dim)
  const kept = self.sizes.map((_, dim) => dim).filter((dim) => !reduced.includes(dim))
  const inner = self.sizes.map((_, dim) => dim).filter((dim) => reduced.includes(dim))
  const order = [...kept, ...inner]
  const permuted = self.asStrided(
    order.map((dim) => self.sizes[dim]!),
    order.map((dim) => self.strides[dim]!),
  )
  const keptSizes = kept.map((dim) => self.sizes[dim]!)
  return {
    data: self.isMeta ? noData : (contiguousData(permuted) as NumberArray),
    isMeta: self.isMeta,
    count: keptSizes.reduce((product, size) => product * size, 1),
    length: inner.reduce((product, dim) => product * self.sizes[dim]!, 1),
    keptSizes,
    unreducedSizes: self.sizes.map((size, dim) => (reduced.includes(dim) ? 1 : size)),
  }
}

/** The value of one row, `data[start…start+length)`. */
export type RowReducer = (data: NumberArray, start: number, length: number) => number

/** One result per row. For int64 rows `reduce` gets and gives bigints, if the result is int64. */
export function reduceRows(rows: Rows, keepdim: boolean, dtype: DType, reduce: RowReducer): Tensor {
  const sizes = keepdim ? rows.unreducedSizes : rows.keptSizes
  if (rows.isMeta) return Tensor.meta(dtype, sizes)
  const result = allocate(dtype, sizes)
  const out = result.data as NumberArray
  for (let i = 0; i < rows.count; i++) out[i] = reduce(rows.data, i * rows.length, rows.length)
  return result
}

/** `dtype=` of a reduction, or what it is when left out. */
export function reductionDType(code: number | null, fallback: DType): DType {
  return code === null ? fallback : dtypeFromCode(code)
}

/**
 * A reduction computed in `dtype`: halves through float32, results converted back.
 *
 * @param reduceBig for int64, on bigints
 */
export function reduceAs(
  self: Tensor,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: DType,
  reduce: RowReducer,
  reduceBig: RowReducer = reduce,
): Tensor {
  const compute = dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype
  const rows = rowsOf(convert(convert(self, dtype), compute), dims)
  return convert(reduceRows(rows, keepdim, compute, compute === 'int64' ? reduceBig : reduce), dtype)
}
