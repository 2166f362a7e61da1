import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { mapBinary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel, kernelDType, requireSameDType } from './float-compute.ts'
import { withInPlace } from './in-place.ts'
import { matrixProduct } from './matrix-product.ts'
import { defineOp, type Operator } from './operator.ts'
import { permute } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { contiguous } from './tensor-access.ts'
import { expand, unsqueeze } from './expanding.ts'

function requireDim(tensor: Tensor, dim: number, argument: string): void {
  if (tensor.dim !== dim)
    throw new OperatorArgumentError(`expected a tensor of ${dim} dimensions, but got ${tensor.dim}`, {
      argument,
    })
}

function multiply(left: Tensor, right: Tensor): Tensor {
  return fromKernel(matrixProduct(left, right), left.dtype)
}

/**
 * `torch.matmul`: a vector counts as a row on the left and as a column on the right, further dimensions are batches
 * and broadcast.
 *
 * @throws OperatorArgumentError when dtypes or sizes do not fit
 */
export function matmul(left: Tensor, right: Tensor): Tensor {
  if (left.dim === 0 || right.dim === 0)
    throw new OperatorArgumentError(
      `both arguments to matmul need to be at least 1D, but they are ${left.dim}D and ${right.dim}D`,
    )
  const a = left.dim === 1 ? unsqueeze(left, 0) : left
  const b = right.dim === 1 ? unsqueeze(right, 1) : right
  const product = multiply(...foldBatch(a, b))
  const rows = left.dim === 1 ? [] : [a.sizes.at(-2)!]
  const columns = right.dim === 1 ? [] : [b.sizes.at(-1)!]
  const batch = broadcastSizes(a.sizes.slice(0, -2), b.sizes.slice(0, -2))
  return reshape(product, [...batch, ...rows, ...columns])
}

/** Batches on the left alone are more rows of one product. */
function foldBatch(a: Tensor, b: Tensor): [Tensor, Tensor] {
  return a.dim > 2 && b.dim === 2 && a.numel > 0 ? [reshape(a, [-1, a.sizes.at(-1)!]), b] : [a, b]
}

/** beta · self + alpha · product, rounded once; `self` is not looked at when beta is 0. */
function combine(self: Tensor, product: Tensor, beta: Scalar, alpha: Scalar): Tensor {
  const [scaleSelf, scaleProduct] = [scalarToNumber(beta), scalarToNumber(alpha)]
  const base = contiguous(expand(self, product.sizes))
  const sum = mapBinary(product, base, 'float64', kernelDType(self.dtype), {
    number: (p, s) => (scaleSelf === 0 ? scaleProduct * p : scaleProduct * p + scaleSelf * s),
  })
  return fromKernel(sum, self.dtype)
}

function addProduct(self: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar): Tensor {
  requireSameDType(self, { mat1: a, mat2: b })
  return combine(self, matrixProduct(a, b, { dtype: 'float64' }), beta, alpha)
}

function requireBatches(a: Tensor, b: Tensor): void {
  requireDim(a, 3, 'batch1')
  requireDim(b, 3, 'batch2')
  if (a.sizes[0] !== b.sizes[0] || a.sizes[2] !== b.sizes[1])
    throw new OperatorArgumentError(
      `expected size for first two dimensions of batch2 tensor to be: ${sizesText([a.sizes[0]!, a.sizes[2]!])} ` +
        `but got: ${sizesText(b.sizes.slice(0, 2))}`,
    )
}

function matrixVector(matrix: Tensor, vector: Tensor): [Tensor, Tensor] {
  requireDim(matrix, 2, 'mat')
  requireDim(vector, 1, 'vec')
  return [matrix, unsqueeze(vector, 1)]
}

function dot(self: Tensor, tensor: Tensor): Tensor {
  requireDim(self, 1, 'self')
  requireDim(tensor, 1, 'tensor')
  if (self.numel !== tensor.numel)
    throw new OperatorArgumentError(
      `inconsistent tensor size, expected tensor ${sizesText(self.sizes)} and src ${sizesText(tensor.sizes)} ` +
        'to have the same number of elements',
    )
  return matmul(self, tensor)
}

function outer(self: Tensor, vector: Tensor): Tensor {
  requireDim(self, 1, 'self')
  requireDim(vector, 1, 'vec2')
  return multiply(unsqueeze(self, 1), unsqueeze(vector, 0))
}

const products = [
  defineOp('aten::matmul(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => matmul(self, other),
  }),
  defineOp('aten::mm(Tensor self, Tensor mat2) -> Tensor', {
    reference: ({ self, mat2 }) => {
      requireDim(self, 2, 'self')
      requireDim(mat2, 2, 'mat2')
      return multiply(self, mat2)
    },
  }),
  defineOp('aten::bmm(Tensor self, Tensor mat2) -> Tensor', {
    reference: ({ self, mat2 }) => {
      requireBatches(self, mat2)
      return multiply(self, mat2)
    },
  }),
  defineOp('aten::mv(Tensor self, Tensor vec) -> Tensor', {
    reference: ({ self, vec }) => {
      const product = multiply(...matrixVector(self, vec))
      return reshape(product, [self.sizes[0]!])
    },
  }),
  defineOp('aten::dot(Tensor self, Tensor tensor) -> Tensor', {
    reference: ({ self, tensor }) => dot(self, tensor),
  }),
  defineOp('aten::vdot(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => dot(self, other),
  }),
  defineOp('aten::outer(Tensor self, Tensor vec2) -> Tensor', {
    reference: ({ self, vec2 }) => outer(self, vec2),
  }),
  defineOp('aten::ger(Tensor self, Tensor vec2) -> Tensor', {
    reference: ({ self, vec2 }) => outer(self, vec2),
  }),
  defineOp('aten::chain_matmul(Tensor[] matrices) -> Tensor', {
    reference: ({ matrices }) => matrices.reduce((product, matrix) => matmul(product, matrix)),
  }),
]

const sums = withInPlace(
  defineOp('aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor', {
    reference: ({ self, mat1, mat2, beta, alpha }) => {
      requireDim(mat1, 2, 'mat1')
      requireDim(mat2, 2, 'mat2')
      return addProduct(self, mat1, mat2, beta, alpha)
    },
  }),
  defineOp(
    'aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      reference: ({ self, batch1, batch2, beta, alpha }) => {
        requireBatches(batch1, batch2)
        return addProduct(self, batch1, batch2, beta, alpha)
      },
    },
  ),
  defineOp(
    'aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor',
    {
      reference: ({ self, batch1, batch2, beta, alpha }) => {
        requireBatches(batch1, batch2)
        // The batches side by side are one product.
        const rows = reshape(permute(batch1, [1, 0, 2]), [
          batch1.sizes[1]!,
          batch1.sizes[0]! * batch1.sizes[2]!,
        ])
        return addProduct(self, rows, reshape(batch2, [rows.sizes[1]!, batch2.sizes[2]!]), beta, alpha)
      },
    },
  ),
  defineOp('aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor', {
    reference: ({ self, vec1, vec2, beta, alpha }) => {
      requireDim(vec1, 1, 'vec1')
      requireDim(vec2, 1, 'vec2')
      return addProduct(self, unsqueeze(vec1, 1), unsqueeze(vec2, 0), beta, alpha)
    },
  }),
  defineOp('aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor', {
    reference: ({ self, mat, vec, beta, alpha }) => {
      requireSameDType(self, { mat, vec })
      const product = matrixProduct(...matrixVector(mat, vec), { dtype: 'float64' })
      return combine(self, reshape(product, [mat.sizes[0]!]), beta, alpha)
    },
  }),
)

export const matmulOperators: readonly Operator[] = [...products, ...sums]
