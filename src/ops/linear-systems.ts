import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo, sameSizes } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { identity } from './creation.ts'
import { elementwiseUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { unsqueeze } from './expanding.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import { determinantOf, factorize, solveFor, type Factorization } from './lu-factorization.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { allocateFor, floatData } from './tensor-access.ts'

function requireSquare(matrices: Tensor, name: string): void {
  requireFloating(matrices, name)
  if (matrices.dim < 2 || matrices.sizes.at(-1) !== matrices.sizes.at(-2))
    throw new OperatorArgumentError(
      `${name}: A must be batches of square matrices, but is of size ${sizesText(matrices.sizes)}`,
    )
}

/** The factors of each matrix of a batch. */
function factorizations(matrices: Tensor): Factorization[] {
  const size = matrices.sizes.at(-1)!
  const data = floatData(matrices)
  return Array.from({ length: numelOf(matrices.sizes.slice(0, -2)) }, (_, i) =>
    factorize(Float64Array.from(data.subarray(i * size * size, (i + 1) * size * size)), size),
  )
}

/** One number for each matrix. */
function ofEach(matrices: Tensor, name: string, number: (factors: Factorization) => number): Tensor {
  requireSquare(matrices, name)
  const result = allocateFor([matrices], kernelDType(matrices.dtype), matrices.sizes.slice(0, -2))
  if (!result.isMeta) floatsOf(result).set(factorizations(matrices).map(number))
  return fromKernel(result, matrices.dtype)
}

function determinant(matrices: Tensor): Tensor {
  return ofEach(matrices, 'linalg.det', determinantOf)
}

/** The sign of each determinant, and the logarithm of its size. */
function signAndLogarithm(matrices: Tensor): [Tensor, Tensor] {
  const diagonal = ({ factors, size }: Factorization): number[] =>
    Array.from({ length: size }, (_, i) => factors[i * size + i]!)
  return [
    ofEach(matrices, 'linalg.slogdet', (one) =>
      diagonal(one).reduce((sign, x) => sign * Math.sign(x), one.sign),
    ),
    ofEach(matrices, 'linalg.slogdet', (one) =>
      diagonal(one).reduce((sum, x) => sum + Math.log(Math.abs(x)), 0),
    ),
  ]
}

/**
 * The X of matrix · X = `right` for each of a batch, columns first in memory as LAPACK leaves them, and which pivot
 * of each was zero. `right` has the batch's sizes.
 */
function solutions(
  matrices: Tensor,
  right: Tensor,
): { readonly x: Tensor; readonly singularAt: readonly number[] } {
  const [rows, columns] = right.sizes.slice(-2) as [number, number]
  const sizes = [...right.sizes.slice(0, -2), columns, rows]
  const result = allocateFor([matrices, right], kernelDType(matrices.dtype), sizes)
  if (result.isMeta) return { x: transpose(fromKernel(result, matrices.dtype), -2, -1), singularAt: [] }
  const [data, out] = [floatData(right), floatsOf(result)]
  const all = factorizations(matrices)
  all.forEach((factors, i) => {
    for (let column = 0; column < columns; column++) {
      const vector = solveFor(factors, (row) => data[(i * rows + row) * columns + column]!)
      out.set(vector, (i * columns + column) * rows)
    }
  })
  const x = transpose(fromKernel(result, matrices.dtype), -2, -1)
  return { x, singularAt: all.map((factors) => factors.singularAt) }
}

function requireRegular(singularAt: readonly number[], name: string): void {
  const at = singularAt.find((pivot) => pivot !== 0)
  if (at !== undefined)
    throw new OperatorArgumentError(
      `${name}: the diagonal element ${at} is zero, the inversion could not be completed because the input matrix ` +
        'is singular',
    )
}

/** The inverses of a batch of matrices, and for each which pivot was zero, which makes it none. */
function inverses(matrices: Tensor): [Tensor, Tensor] {
  requireSquare(matrices, 'linalg.inv')
  const size = matrices.sizes.at(-1)!
  const { x, singularAt } = solutions(
    matrices,
    broadcastTo(identity(size, size, matrices.dtype), matrices.sizes),
  )
  const info = allocateFor([matrices], 'int32', matrices.sizes.slice(0, -2))
  if (!info.isMeta) singularAt.forEach((pivot, i) => (info.data[i] = pivot))
  return [x, info]
}

/** @throws OperatorArgumentError for a singular matrix */
export function inverse(matrices: Tensor): Tensor {
  const [result, info] = inverses(matrices)
  if (!info.isMeta) requireRegular(Array.from(info.data, Number), 'linalg.inv')
  return result
}

/**
 * The X of A · X = B, or of X · A = B where A is not on the left; a B of a dimension less is vectors.
 *
 * @throws OperatorArgumentError when sizes do not fit, or for a singular matrix
 */
function solve(matrices: Tensor, right: Tensor, left: boolean): Tensor {
  requireSquare(matrices, 'linalg.solve')
  requireSameDType(matrices, { B: right })
  const isVector =
    right.dim === 1 || (matrices.dim - 1 === right.dim && sameSizes(right.sizes, matrices.sizes.slice(0, -1)))
  if (isVector) {
    if (!left)
      throw new OperatorArgumentError(
        'linalg.solve: vector broadcasting of B is not supported for left = False',
      )
    const x = solve(matrices, unsqueeze(right, right.dim), true)
    return reshape(x, x.sizes.slice(0, -1))
  }
  if (!left) return transpose(solve(transpose(matrices, -2, -1), transpose(right, -2, -1), true), -2, -1)
  if (right.dim < 2 || right.sizes.at(-2) !== matrices.sizes.at(-1))
    throw new OperatorArgumentError(
      `linalg.solve: incompatible shapes of A and B for the equation AX = B (${sizesText(matrices.sizes)} and ` +
        `${sizesText(right.sizes)})`,
    )
  const batch = broadcastSizes(matrices.sizes.slice(0, -2), right.sizes.slice(0, -2))
  const { x, singularAt } = solutions(
    broadcastTo(matrices, [...batch, ...matrices.sizes.slice(-2)]),
    broadcastTo(right, [...batch, ...right.sizes.slice(-2)]),
  )
  requireRegular(singularAt, 'linalg.solve')
  return x
}

export const linearSystemOperators: readonly Operator[] = [
  defineOp('aten::linalg_det(Tensor A) -> Tensor', { reference: ({ A }) => determinant(A) }),
  defineOp('aten::det(Tensor self) -> Tensor', { reference: ({ self }) => determinant(self) }),
  defineOp('aten::logdet(Tensor self) -> Tensor', {
    reference: ({ self }) => elementwiseUnary(determinant(self), Math.log),
  }),
  defineOp('aten::slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)', {
    reference: ({ self }) => signAndLogarithm(self),
  }),
  defineOp('aten::linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)', {
    reference: ({ A }) => signAndLogarithm(A),
  }),
  defineOp('aten::inverse(Tensor self) -> Tensor', { reference: ({ self }) => inverse(self) }),
  defineOp('aten::linalg_inv(Tensor A) -> Tensor', { reference: ({ A }) => inverse(A) }),
  defineOp('aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)', {
    reference: ({ A, check_errors }) => {
      const results = inverses(A)
      if (check_errors && !results[1].isMeta)
        requireRegular(Array.from(results[1].data, Number), 'linalg.inv')
      return results
    },
  }),
  defineOp('aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor', {
    reference: ({ A, B, left }) => solve(A, B, left),
  }),
]
