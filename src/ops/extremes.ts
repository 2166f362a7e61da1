import type { Tensor } from '../tensor/tensor.ts'
import type { NumberArray } from './convert.ts'
import { wrapDimension } from './dimension.ts'
import { mapUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { reduceAs, reduceRows, rowsOf, type RowReducer, type Rows } from './reduction.ts'
import { allocateFor, convert } from './tensor-access.ts'

// These compare only, and so serve bigints as well as numbers.
const largestAt: RowReducer = (data, start, length) => {
  let best = start
  for (let i = start; i < start + length; i++) {
    const value = data[i]!
    if (value !== value) return i - start
    if (value > data[best]!) best = i
  }
  return best - start
}

const smallestAt: RowReducer = (data, start, length) => {
  let best = start
  for (let i = start; i < start + length; i++) {
    const value = data[i]!
    if (value !== value) return i - start
    if (value < data[best]!) best = i
  }
  return best - start
}

const largestRow: RowReducer = (data, start, length) => data[start + largestAt(data, start, length)]!
const smallestRow: RowReducer = (data, start, length) => data[start + smallestAt(data, start, length)]!

/** Nothing has no largest element. */
function refuseEmpty(self: Tensor, dims: readonly number[] | null, name: string): void {
  const named =
    dims === null || dims.length === 0
      ? self.sizes
      : dims.map((dim) => self.sizes[wrapDimension(dim, self.dim)] ?? 1)
  if (named.includes(0))
    throw new OperatorArgumentError(
      `${name}(): expected reduction dim to be specified for a non-zero size, but the tensor has sizes [${self.sizes.join(', ')}]`,
    )
}

function extreme(self: Tensor, dims: readonly number[] | null, keepdim: boolean, reduce: RowReducer): Tensor {
  refuseEmpty(self, dims, reduce === largestRow ? 'max' : 'min')
  return reduceAs(self, dims, keepdim, self.dtype, reduce)
}

function position(self: Tensor, dim: number | null, keepdim: boolean, at: RowReducer): Tensor {
  refuseEmpty(self, dim === null ? null : [dim], at === largestAt ? 'argmax' : 'argmin')
  const rows = rowsOf(readable(self), dim === null ? null : [dim])
  return reduceRows(rows, keepdim, 'int64', asBigint(at))
}

/** Halves are compared as the numbers they stand for. */
export function readable(self: Tensor): Tensor {
  return self.dtype === 'float16' || self.dtype === 'bfloat16' ? convert(self, 'float32') : self
}

function asBigint(at: RowReducer): RowReducer {
  return ((data: NumberArray, start: number, length: number) =>
    BigInt(at(data, start, length))) as unknown as RowReducer
}

/** The extreme elements along a dimension, and where they are. */
function extremeWithPosition(self: Tensor, dim: number, keepdim: boolean, at: RowReducer): [Tensor, Tensor] {
  refuseEmpty(self, [dim], at === largestAt ? 'max' : 'min')
  const rows = rowsOf(readable(self), [dim])
  const indices = reduceRows(rows, keepdim, 'int64', asBigint(at))
  return [pick(self, rows, indices), indices]
}

function pick(self: Tensor, rows: Rows, indices: Tensor): Tensor {
  const values = allocateFor([self], readable(self).dtype, indices.sizes)
  if (values.isMeta) return convert(values, self.dtype)
  const [out, at] = [values.data as NumberArray, indices.data as BigInt64Array]
  for (let i = 0; i < rows.count; i++) out[i] = rows.data[i * rows.length + Number(at[i]!)]!
  return convert(values, self.dtype)
}

const anyRow: RowReducer = (data, start, length) => {
  for (let i = start; i < start + length; i++) if (data[i] !== 0) return 1
  return 0
}

const allRow: RowReducer = (data, start, length) => {
  for (let i = start; i < start + length; i++) if (data[i] === 0) return 0
  return 1
}

/** `any` and `all` answer in bool, for uint8 in uint8. */
function truth(self: Tensor, dims: readonly number[] | null, keepdim: boolean, reduce: RowReducer): Tensor {
  const truths = mapUnary(self, 'bool', { number: (x) => x !== 0, bigint: (x) => x !== 0n })
  const result = reduceAs(truths, dims, keepdim, 'bool', reduce)
  return self.dtype === 'uint8' ? convert(result, 'uint8') : result
}

function extremeOperators(name: string, reduce: RowReducer, at: RowReducer): Operator[] {
  return [
    defineOp(`aten::${name}(Tensor self) -> Tensor`, {
      reference: ({ self }) => extreme(self, null, false, reduce),
    }),
    defineOp(
      `aten::${name}.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)`,
      {
        reference: ({ self, dim, keepdim }) => extremeWithPosition(self, dim, keepdim, at),
      },
    ),
    defineOp(`aten::a${name}(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor`, {
      reference: ({ self, dim, keepdim }) => extreme(self, dim, keepdim, reduce),
    }),
    defineOp(`aten::arg${name}(Tensor self, int? dim=None, bool keepdim=False) -> Tensor`, {
      reference: ({ self, dim, keepdim }) => position(self, dim, keepdim, at),
    }),
  ]
}

function truthOperators(name: string, reduce: RowReducer): Operator[] {
  return [
    defineOp(`aten::${name}(Tensor self) -> Tensor`, {
      reference: ({ self }) => truth(self, null, false, reduce),
    }),
    defineOp(`aten::${name}.dim(Tensor self, int dim, bool keepdim=False) -> Tensor`, {
      reference: ({ self, dim, keepdim }) => truth(self, [dim], keepdim, reduce),
    }),
    defineOp(`aten::${name}.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor`, {
      reference: ({ self, dim, keepdim }) => truth(self, dim, keepdim, reduce),
    }),
  ]
}

export const extremeTensorOperators: readonly Operator[] = [
  ...extremeOperators('max', largestRow, largestAt),
  ...extremeOperators('min', smallestRow, smallestAt),
  ...truthOperators('any', anyRow),
  ...truthOperators('all', allRow),
  defineOp('aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)', {
    reference: ({ self, dim, keepdim }) => {
      const dims = dim === null ? null : [dim]
      return [extreme(self, dims, keepdim, smallestRow), extreme(self, dims, keepdim, largestRow)]
    },
  }),
]
