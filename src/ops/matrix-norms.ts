import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError, UnsupportedOperatorError } from './errors.ts'
import { squeeze } from './expanding.ts'
import { defineOp, type Operator } from './operator.ts'
import { vectorNorm } from './spread.ts'

interface NormOptions {
  readonly dim: readonly number[] | null
  readonly keepdim: boolean
  readonly dtype: number | null
}

/** A number, or `fro` or `nuc`. */
type Order = Scalar | string

/**
 * The norm of the matrices in two dimensions: `fro`, or the largest (order 1, ∞) or smallest (-1, -∞) sum of a column
 * or a row.
 *
 * @throws OperatorArgumentError for an order that is none
 * @throws UnsupportedOperatorError for those that need singular values
 */
function matrixNorm(self: Tensor, order: Order, { dim, keepdim, dtype }: NormOptions): Tensor {
  const dims = (dim ?? [-2, -1]).map((d) => wrapDimension(d, self.dim))
  const [rows, columns] = dims as [number, number]
  if (self.dim < 2 || dims.length !== 2 || rows === columns)
    throw new OperatorArgumentError(
      `linalg.matrix_norm: needs two different dims of at least two, but got (${dims.join(', ')}) of ${self.dim}`,
    )
  if (order === 'fro') return vectorNorm(self, 2, dims, keepdim, dtype)
  const p = typeof order === 'string' ? order : scalarToNumber(order)
  if (p === 'nuc' || Math.abs(Number(p)) === 2)
    throw new UnsupportedOperatorError(`there is no kernel for the matrix norm of order ${p}`)
  if (typeof p === 'string' || ![1, Infinity].includes(Math.abs(p)))
    throw new OperatorArgumentError(`linalg.matrix_norm: order ${p} not supported`, { argument: 'ord' })
  const [summed, compared] = Math.abs(p) === 1 ? [rows, columns] : [columns, rows]
  const sums = vectorNorm(self, 1, [summed], true, dtype)
  const norms = vectorNorm(sums, p > 0 ? Infinity : -Infinity, [compared], true, null)
  return keepdim ? norms : squeeze(norms, dims)
}

/** Of vectors along one dimension, of matrices in two; of all elements where neither order nor dimensions are named. */
function norm(self: Tensor, order: Order | null, options: NormOptions): Tensor {
  const { dim, keepdim, dtype } = options
  if (dim === null && order !== null && self.dim !== 1 && self.dim !== 2)
    throw new OperatorArgumentError(
      `linalg.norm: if dim is not specified but ord is, the input must be 1D or 2D. Got ${self.dim}D.`,
    )
  const isMatrix = order !== null && (dim?.length ?? self.dim) === 2
  if (isMatrix || typeof order === 'string') return matrixNorm(self, order, options)
  return vectorNorm(self, order, dim, keepdim, dtype)
}

export const matrixNormOperators: readonly Operator[] = [
  defineOp(
    'aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, ord, ...options }) => norm(self, ord, options) },
  ),
  defineOp(
    'aten::linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, ord, ...options }) => norm(self, ord, options) },
  ),
  defineOp(
    'aten::linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, ord, ...options }) => matrixNorm(self, ord, options) },
  ),
  defineOp(
    'aten::linalg_matrix_norm.str_ord(Tensor self, str ord="fro", int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, ord, ...options }) => matrixNorm(self, ord, options) },
  ),
]
