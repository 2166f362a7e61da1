import type { Device } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { chosenDType } from './creation.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocate, convert } from './tensor-access.ts'

interface TriangleArguments {
  readonly row: number
  readonly col: number
  readonly offset: number
  readonly dtype: number | null
  readonly device: Device | null
}

/** Rows and columns of a matrix's elements on one side of a diagonal, row by row: 2 × n. */
function triangleIndices(
  { row: rows, col: columns, offset, ...options }: TriangleArguments,
  /** The columns of a row, from the first to before the end. */
  span: (diagonal: number) => readonly [number, number],
): Tensor {
  if (rows < 0 || columns < 0)
    throw new OperatorArgumentError(`row and col must be non-negative, got ${rows} and ${columns}`)
  const clamp = (column: number): number => Math.min(Math.max(column, 0), columns)
  const spans = Array.from({ length: rows }, (_, row) => span(row + offset).map(clamp) as [number, number])
  const count = spans.reduce((n, [first, end]) => n + Math.max(end - first, 0), 0)
  const indices = allocate('int64', [2, count])
  const out = indices.data as BigInt64Array
  let at = 0
  spans.forEach(([first, end], row) => {
    for (let column = first; column < end; column++, at++) {
      out[at] = BigInt(row)
      out[count + at] = BigInt(column)
    }
  })
  return convert(indices, chosenDType(options, 'int64'))
}

export const triangleIndexOperators: readonly Operator[] = [
  defineOp(
    'aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: (args) => triangleIndices(args, (diagonal) => [0, diagonal + 1]) },
  ),
  defineOp(
    'aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: (args) => triangleIndices(args, (diagonal) => [diagonal, Infinity]) },
  ),
]
