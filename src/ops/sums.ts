import { isFloating, isIntegral, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, sameSizes } from './broadcast.ts'
import { trueDivide } from './division.ts'
import { OperatorArgumentError } from './errors.ts'
import { mapUnary } from './elementwise.ts'
import { defineOp, type Operator } from './operator.ts'
import { reduceAs, reductionDType, type RowReducer } from './reduction.ts'
import { reshape } from './reshaping.ts'
import { allocate, numberData } from './tensor-access.ts'

/** The sum, accumulated in double precision. */
export const sumRow: RowReducer = (data, start, length) => {
  let sum = 0
  for (let i = start; i < start + length; i++) sum += data[i]!
  return sum
}

const meanRow: RowReducer = (data, start, length) => sumRow(data, start, length) / length

const productRow: RowReducer = (data, start, length) => {
  let product = 1
  for (let i = start; i < start + length; i++) product *= data[i]!
  return product
}

/** A reducer that reads int64 elements as the bigints they are. */
function onBigints(reduce: (data: BigInt64Array, start: number, end: number) => bigint): RowReducer {
  return ((data: unknown, start: number, length: number) =>
    reduce(data as BigInt64Array, start, start + length)) as unknown as RowReducer
}

const bigSumRow = onBigints((data, start, end) => {
  let sum = 0n
  for (let i = start; i < end; i++) sum += data[i]!
  return sum
})

const bigProductRow = onBigints((data, start, end) => {
  let product = 1n
  for (let i = start; i < end; i++) product = BigInt.asIntN(64, product * data[i]!)
  return product
})

/** Sums and products of integers and bools are int64. */
function accumulationDType(dtype: DType): DType {
  return isIntegral(dtype, true) ? 'int64' : dtype
}

/** The sum over the dimensions (all, when none is named). */
export function sum(
  self: Tensor,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: number | null,
): Tensor {
  return reduceAs(
    self,
    dims,
    keepdim,
    reductionDType(dtype, accumulationDType(self.dtype)),
    sumRow,
    bigSumRow,
  )
}

/**
 * The mean over the dimensions (all, when none is named).
 *
 * @throws OperatorArgumentError for integers, unless a floating dtype is asked for
 */
export function mean(
  self: Tensor,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: number | null,
): Tensor {
  const computed = reductionDType(dtype, self.dtype)
  if (!isFloating(computed))
    throw new OperatorArgumentError(
      `mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ${computed}`,
    )
  return reduceAs(self, dims, keepdim, computed, meanRow)
}

function prod(self: Tensor, dims: readonly number[] | null, keepdim: boolean, dtype: number | null): Tensor {
  const computed = reductionDType(dtype, accumulationDType(self.dtype))
  return reduceAs(self, dims, keepdim, computed, productRow, bigProductRow)
}

function nansum(
  self: Tensor,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: number | null,
): Tensor {
  const clean = mapUnary(self, self.dtype, { number: (x) => (x !== x ? 0 : x), bigint: (x) => x })
  return sum(clean, dims, keepdim, dtype)
}

/**
 * What broadcasting to the tensor's sizes came from: sums over the dimensions that it added or stretched.
 *
 * @throws OperatorArgumentError for sizes that do not broadcast to them
 */
function sumToSize(self: Tensor, size: readonly number[]): Tensor {
  if (!sameSizes(broadcastSizes(self.sizes, size), self.sizes))
    throw new OperatorArgumentError(
      `size {[${size.join(', ')}]} is not expandable to size {[${self.sizes.join(', ')}]}`,
      { argument: 'size' },
    )
  const lead = self.dim - size.length
  const dims = self.sizes.flatMap((extent, dim) =>
    dim < lead || (size[dim - lead] === 1 && extent !== 1) ? [dim] : [],
  )
  return dims.length === 0 ? self : reshape(sum(self, dims, true, null), size)
}

/** The mean of what is not NaN. */
function nanmean(
  self: Tensor,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: number | null,
): Tensor {
  if (!isFloating(self.dtype))
    throw new OperatorArgumentError(
      `nanmean(): expected input to have floating point dtype but got ${self.dtype}`,
    )
  const total = nansum(self, dims, keepdim, dtype)
  const counts = sum(mapUnary(self, 'bool', { number: (x) => x === x }), dims, keepdim, null)
  return trueDivide(total, counts)
}

function countNonzero(self: Tensor, dims: readonly number[] | null): Tensor {
  return sum(mapUnary(self, 'bool', { number: (x) => x !== 0, bigint: (x) => x !== 0n }), dims, false, null)
}

/** How often each of 0, 1, … occurs, or the sum of their weights. */
function bincount(self: Tensor, weights: Tensor | null, minlength: number): Tensor {
  const values = numberData(self)
  const negative = values.find((value) => value < 0)
  if (self.dim !== 1 || !isIntegral(self.dtype) || negative !== undefined)
    throw new OperatorArgumentError(
      `bincount only supports 1-d non-negative integral inputs, not ${self.dim}-d ${self.dtype}${negative === undefined ? '' : ` with ${negative}`}`,
    )
  if (minlength < 0) throw new OperatorArgumentError(`minlength should be >= 0, but is ${minlength}`)
  if (weights && weights.numel !== self.numel)
    throw new OperatorArgumentError(
      `weights should have as many elements as the input: ${weights.numel} and ${self.numel}`,
    )
  const length = [...values].reduce((most, value) => Math.max(most, value + 1), minlength)
  const result = allocate(weights === null ? 'int64' : weights.dtype === 'float32' ? 'float32' : 'float64', [
    length,
  ])
  const amounts = weights && numberData(weights)
  const out = result.data
  if (out instanceof BigInt64Array) values.forEach((value) => out[value]!++)
  else values.forEach((value, i) => ((out as Float64Array)[value]! += amounts![i]!))
  return result
}

export const sumOperators: readonly Operator[] = [
  defineOp('aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dtype }) => sum(self, null, false, dtype),
  }),
  defineOp(
    'aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, dim, keepdim, dtype }) => sum(self, dim, keepdim, dtype) },
  ),
  defineOp(
    'aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    {
      reference: ({ self, dim, keepdim, dtype }) => nansum(self, dim, keepdim, dtype),
    },
  ),
  defineOp(
    'aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, dim, keepdim, dtype }) => nanmean(self, dim, keepdim, dtype) },
  ),
  defineOp('aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dtype }) => mean(self, null, false, dtype),
  }),
  defineOp(
    'aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    {
      reference: ({ self, dim, keepdim, dtype }) => mean(self, dim, keepdim, dtype),
    },
  ),
  defineOp('aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dtype }) => prod(self, null, false, dtype),
  }),
  defineOp(
    'aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    {
      reference: ({ self, dim, keepdim, dtype }) => prod(self, [dim], keepdim, dtype),
    },
  ),
  defineOp('aten::sum_to_size(Tensor self, int[] size) -> Tensor', {
    reference: ({ self, size }) => sumToSize(self, size),
  }),
  defineOp('aten::count_nonzero(Tensor self, int? dim=None) -> Tensor', {
    reference: ({ self, dim }) => countNonzero(self, dim === null ? null : [dim]),
  }),
  defineOp('aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor', {
    reference: ({ self, dim }) => countNonzero(self, dim),
  }),
  defineOp('aten::bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor', {
    reference: ({ self, weights, minlength }) => bincount(self, weights, minlength),
  }),
]
