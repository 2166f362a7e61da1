import type { Tensor } from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { sizesText } from './convolution-geometry.ts'
import { identity } from './creation.ts'
import { OperatorArgumentError } from './errors.ts'
import { inverse } from './linear-systems.ts'
import { matmul } from './matmul.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { diagonal, narrow } from './slicing.ts'
import { sum } from './sums.ts'
import { allocateFor, cloneAs, copyInto } from './tensor-access.ts'
import { resultType } from './type-promotion.ts'

/** Every element of one times all of the other: sizes multiply, dimension by dimension from the last. */
function kronecker(self: Tensor, other: Tensor): Tensor {
  const rank = Math.max(self.dim, other.dim)
  const padded = ({ sizes }: Tensor): number[] => [
    ...new Array<number>(rank - sizes.length).fill(1),
    ...sizes,
  ]
  const [outer, inner] = [padded(self), padded(other)]
  const left = outer.flatMap((size) => [size, 1])
  const right = inner.flatMap((size) => [1, size])
  const sizes = outer.map((size, dim) => size * inner[dim]!)
  return reshape(multiply(reshape(self, left), reshape(other, right)), sizes)
}

/**
 * Matrices along a diagonal, zeros around them; a vector is a row.
 *
 * @throws OperatorArgumentError for tensors of more than two dimensions
 */
function blockDiagonal(tensors: readonly Tensor[]): Tensor {
  const large = tensors.find((tensor) => tensor.dim > 2)
  if (large)
    throw new OperatorArgumentError(
      `torch.block_diag: input tensors must have 2 or fewer dimensions, but one has size ${sizesText(large.sizes)}`,
    )
  const blocks = tensors.map((tensor) =>
    reshape(tensor, [tensor.dim < 2 ? 1 : tensor.sizes[0]!, tensor.sizes.at(-1) ?? 1]),
  )
  const [rows, columns] = [0, 1].map((dim) => blocks.reduce((n, block) => n + block.sizes[dim]!, 0)) as [
    number,
    number,
  ]
  const result = allocateFor(tensors, resultType(...tensors), [rows, columns])
  let [row, column] = [0, 0]
  for (const block of blocks) {
    const [height, width] = block.sizes as [number, number]
    copyInto(narrow(narrow(result, 0, row, height), 1, column, width), block)
    row += height
    column += width
  }
  return result
}

/** The sum of the diagonal. */
function trace(self: Tensor): Tensor {
  if (self.dim !== 2)
    throw new OperatorArgumentError(`trace: expected a matrix, but got tensor with dim ${self.dim}`)
  return sum(diagonal(self, 0, 0, 1), null, false, null)
}

/** A matrix times itself so often; the inverse so often where `exponent` is negative. */
function matrixPower(self: Tensor, exponent: number): Tensor {
  if (self.dim < 2 || self.sizes.at(-1) !== self.sizes.at(-2))
    throw new OperatorArgumentError(
      `linalg.matrix_power: A must be batches of square matrices, but is of size ${sizesText(self.sizes)}`,
    )
  const size = self.sizes.at(-1)!
  if (exponent === 0) {
    const result = allocateFor([self], self.dtype, self.sizes)
    copyInto(result, identity(size, size, self.dtype))
    return result
  }
  let square = exponent < 0 ? inverse(self) : self
  let result: Tensor | undefined
  for (let rest = Math.abs(exponent); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === undefined ? square : matmul(result, square)
    if (rest > 1) square = matmul(square, square)
  }
  return result === self ? cloneAs(self) : result!
}

export const matrixCompositionOperators: readonly Operator[] = [
  defineOp('aten::kron(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => kronecker(self, other),
  }),
  defineOp('aten::block_diag(Tensor[] tensors) -> Tensor', {
    reference: ({ tensors }) => blockDiagonal(tensors),
  }),
  defineOp('aten::trace(Tensor self) -> Tensor', { reference: ({ self }) => trace(self) }),
  defineOp('aten::linalg_matrix_power(Tensor self, int n) -> Tensor', {
    reference: ({ self, n }) => matrixPower(self, n),
  }),
  defineOp('aten::matrix_power(Tensor self, int n) -> Tensor', {
    reference: ({ self, n }) => matrixPower(self, n),
  }),
  defineOp('aten::linalg_matmul(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => matmul(self, other),
  }),
  defineOp('aten::linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)', {
    reference: ({ A, offset, dim1, dim2 }) => diagonal(A, offset, dim1, dim2),
  }),
]
