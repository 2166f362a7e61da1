import { Tensor } from '../tensor/tensor.ts'
import type { NumberArray } from './convert.ts'
import { wrapDimension } from './dimension.ts'
import { computeDType } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { gather } from './gathering.ts'
import { preservedStrides } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { reduceRows, rowsOf } from './reduction.ts'
import { reshape } from './reshaping.ts'
import { narrow, select } from './slicing.ts'
import { allocate, cloneAs, convert } from './tensor-access.ts'

/** The positions of a row's elements in ascending order; NaN counts as the largest, equals keep their order. */
function ascendingOrder(data: NumberArray, start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => i).sort((a, b) => compare(data[start + a]!, data[start + b]!))
}

function descendingOrder(data: NumberArray, start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => i).sort((a, b) => compare(data[start + b]!, data[start + a]!))
}

/** Reads the same on numbers and bigints. */
function compare(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : Number(a !== a) - Number(b !== b)
}

/** Where the elements of the sorted tensor come from: stable, along a dimension. */
export function sortedPositions(self: Tensor, dimension: number, descending: boolean): Tensor {
  const dim = wrapDimension(dimension, self.dim)
  const rows = rowsOf(convert(self, computeDType(self.dtype)), self.dim === 0 ? null : [dim])
  const order = descending ? descendingOrder : ascendingOrder
  if (rows.isMeta) return Tensor.meta('int64', self.sizes)
  const moved = allocate('int64', [...rows.keptSizes, rows.length])
  const out = moved.data as BigInt64Array
  for (let row = 0; row < rows.count; row++)
    order(rows.data, row * rows.length, rows.length).forEach(
      (from, i) => (out[row * rows.length + i] = BigInt(from)),
    )
  if (self.dim === 0) return reshape(moved, [])
  const places = self.sizes.map((_, d) => (d === dim ? self.dim - 1 : d < dim ? d : d - 1))
  const back = moved.asStrided(
    places.map((d) => moved.sizes[d]!),
    places.map((d) => moved.strides[d]!),
  )
  return cloneAs(back, 'int64', allocate('bool', self.sizes).strides)
}

function sort(self: Tensor, dim: number, descending: boolean): [Tensor, Tensor] {
  const positions = sortedPositions(self, dim, descending)
  const values = gather(self, wrapDimension(dim, self.dim), positions)
  const strides = preservedStrides(self)
  return [inStrides(values, strides), inStrides(positions, strides)]
}

function inStrides(tensor: Tensor, strides: readonly number[]): Tensor {
  return tensor.strides.join() === strides.join() ? tensor : cloneAs(tensor, tensor.dtype, strides)
}

/** The `k` largest or smallest along a dimension, in order. */
function topk(self: Tensor, k: number, dimension: number, largest: boolean): [Tensor, Tensor] {
  const dim = wrapDimension(dimension, self.dim)
  const size = self.sizes[dim] ?? 1
  if (k < 0 || k > size)
    throw new OperatorArgumentError(
      `selected index k out of range: k is ${k}, the dimension has size ${size}`,
    )
  const positions = sortedPositions(self, dim, largest)
  const first = self.dim === 0 ? positions : cloneAs(narrow(positions, dim, 0, k), 'int64')
  return [gather(self, dim, first), first]
}

/** The `k`-th smallest (counted from 1) along a dimension, and its place. */
function kthValue(self: Tensor, k: number, dimension: number, keepdim: boolean): [Tensor, Tensor] {
  const dim = wrapDimension(dimension, self.dim)
  const size = self.sizes[dim] ?? 1
  if (k < 1 || k > size)
    throw new OperatorArgumentError(
      `kthvalue(): selected number k out of range: k is ${k}, the dimension has size ${size}`,
    )
  const [values, positions] = sort(self, dim, false)
  if (self.dim === 0) return [values, positions]
  const at = (tensor: Tensor): Tensor =>
    cloneAs(keepdim ? narrow(tensor, dim, k - 1, 1) : select(tensor, dim, k - 1))
  return [at(values), at(positions)]
}

/** The lower of the two middle elements; NaN where there is one. */
function median(self: Tensor): Tensor {
  if (self.numel === 0) return convert(cloneAs(reshape(self, [-1]).asStrided([], [], 0)), self.dtype)
  const flat = reshape(self, [-1])
  const [values] = sort(flat, 0, false)
  const last = select(values, 0, flat.numel - 1)
  if (self.isMeta) return cloneAs(last)
  return cloneAs(isNaNTensor(last) ? last : select(values, 0, (flat.numel - 1) >> 1))
}

function isNaNTensor(single: Tensor): boolean {
  const [row] = [rowsOf(convert(single, computeDType(single.dtype)), null)]
  return Number.isNaN(row.data[0])
}

function medianAlong(self: Tensor, dimension: number, keepdim: boolean): [Tensor, Tensor] {
  const dim = wrapDimension(dimension, self.dim)
  const source = convert(self, computeDType(self.dtype))
  const rows = rowsOf(source, self.dim === 0 ? null : [dim])
  const positions = reduceRows(rows, keepdim, 'int64', ((
    data: NumberArray,
    start: number,
    length: number,
  ) => {
    const order = ascendingOrder(data, start, length)
    const nan = order.findIndex((at) => Number.isNaN(data[start + at]))
    return BigInt(order[nan === -1 ? (length - 1) >> 1 : nan] ?? 0)
  }) as never)
  if (self.dim === 0) return [cloneAs(self), positions]
  const asked = keepdim ? positions : reshape(positions, self.sizes.with(dim, 1))
  const values = gather(self, dim, asked)
  return [keepdim ? values : reshape(values, positions.sizes), positions]
}

export const sortingOperators: readonly Operator[] = [
  defineOp('aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)', {
    reference: ({ self, dim, descending }) => sort(self, dim, descending),
  }),
  defineOp(
    'aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)',
    { reference: ({ self, dim, descending }) => sort(self, dim, descending) },
  ),
  defineOp('aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor', {
    reference: ({ self, dim, descending }) => sortedPositions(self, dim, descending),
  }),
  defineOp('aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor', {
    reference: ({ self, dim, descending }) => sortedPositions(self, dim, descending),
  }),
  defineOp('aten::msort(Tensor self) -> Tensor', { reference: ({ self }) => sort(self, 0, false)[0] }),
  defineOp(
    'aten::topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)',
    { reference: ({ self, k, dim, largest }) => topk(self, k, dim, largest) },
  ),
  defineOp(
    'aten::kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)',
    { reference: ({ self, k, dim, keepdim }) => kthValue(self, k, dim, keepdim) },
  ),
  defineOp('aten::median(Tensor self) -> Tensor', { reference: ({ self }) => median(self) }),
  defineOp('aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)', {
    reference: ({ self, dim, keepdim }) => medianAlong(self, dim, keepdim),
  }),
]
