import { Double } from '../ir/ivalue.ts'
import { dtypes } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { addScaled } from './arithmetic.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { wrapDimension, wrapDimensions } from './dimension.ts'
import { einsum } from './einsum.ts'
import { mapUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import { matmul } from './matmul.ts'
import { defineOp, type Operator } from './operator.ts'
import { permute } from './permuting.ts'
import { rowsOf } from './reduction.ts'
import { reshape } from './reshaping.ts'
import { vectorNorm } from './spread.ts'
import { allocateFor, convert } from './tensor-access.ts'

/**
 * Sums over pairs of dimensions of two tensors, what is left of the first before what is left of the second.
 *
 * @throws OperatorArgumentError when paired dimensions differ
 */
function tensordot(
  self: Tensor,
  other: Tensor,
  dimsSelf: readonly number[],
  dimsOther: readonly number[],
): Tensor {
  if (dimsSelf.length !== dimsOther.length)
    throw new OperatorArgumentError(
      `both dimension lists should have same length, got ${dimsSelf.length} and ${dimsOther.length}`,
    )
  const inner = dimsSelf.length === 0 ? [] : wrapDimensions(dimsSelf, self.dim)
  const outer = dimsOther.length === 0 ? [] : wrapDimensions(dimsOther, other.dim)
  inner.forEach((dim, i) => {
    if (self.sizes[dim] !== other.sizes[outer[i]!])
      throw new OperatorArgumentError(
        `contracted dimensions need to match, but first has size ${self.sizes[dim]!} in dim ${dim} ` +
          `and second has size ${other.sizes[outer[i]!]!} in dim ${outer[i]!}`,
      )
  })
  const left = self.sizes.map((_, dim) => dim).filter((dim) => !inner.includes(dim))
  const right = other.sizes.map((_, dim) => dim).filter((dim) => !outer.includes(dim))
  const size = (tensor: Tensor, dims: readonly number[]): number =>
    dims.reduce((n, dim) => n * tensor.sizes[dim]!, 1)
  const product = matmul(
    reshape(permute(self, [...left, ...inner]), [size(self, left), size(self, inner)]),
    reshape(permute(other, [...outer, ...right]), [size(other, outer), size(other, right)]),
  )
  return reshape(product, [...left.map((dim) => self.sizes[dim]!), ...right.map((dim) => other.sizes[dim]!)])
}

/** Products of the last dimensions; a tensor without dimensions multiplies. */
function inner(self: Tensor, other: Tensor): Tensor {
  if (self.dim === 0 || other.dim === 0) return einsum('...,...->...', [self, other])
  return tensordot(self, other, [-1], [-1])
}

/** x₁ᵀ · W · x₂ + b over the last dimensions, one matrix W for each output. */
function bilinear(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireSameDType(first, { input2: second, weight, bias })
  const lead = first.sizes.slice(0, -1)
  const fits =
    weight.dim === 3 &&
    lead.join() === second.sizes.slice(0, -1).join() &&
    weight.sizes[1] === first.sizes.at(-1) &&
    weight.sizes[2] === second.sizes.at(-1) &&
    (bias === null || bias.sizes.join() === String(weight.sizes[0]))
  if (!fits)
    throw new OperatorArgumentError(
      `bilinear(): inputs of sizes ${sizesText(first.sizes)} and ${sizesText(second.sizes)} do not fit weight of ` +
        `size ${sizesText(weight.sizes)}${bias ? ` and bias of size ${sizesText(bias.sizes)}` : ''}`,
    )
  const product = einsum('...i,oij,...j->...o', [first, weight, second])
  return bias === null ? product : addScaled(product, bias)
}

/** Σ x₁x₂ over the product of the norms, neither of them less than `eps`. */
function cosineSimilarity(first: Tensor, second: Tensor, dim: number, eps: number): Tensor {
  requireFloating(first, 'cosine_similarity')
  requireFloating(second, 'cosine_similarity')
  const sizes = broadcastSizes(first.sizes, second.sizes)
  const axis = wrapDimension(dim, sizes.length)
  const dtype = kernelDType(first.dtype === 'float64' ? 'float64' : second.dtype)
  const rows = [first, second].map((tensor) => rowsOf(broadcastTo(convert(tensor, dtype), sizes), [axis]))
  const [a, b] = rows.map(({ data }) => data) as [Float64Array, Float64Array]
  const { count, length, keptSizes } = rows[0]!
  const result = allocateFor([first, second], dtype, keptSizes)
  if (result.isMeta) return fromKernel(result, first.dtype)
  const out = floatsOf(result)
  for (let row = 0; row < count; row++) {
    let [products, squaresA, squaresB] = [0, 0, 0]
    for (let i = row * length; i < (row + 1) * length; i++) {
      products += a[i]! * b[i]!
      squaresA += a[i]! * a[i]!
      squaresB += b[i]! * b[i]!
    }
    out[row] = products / (Math.max(Math.sqrt(squaresA), eps) * Math.max(Math.sqrt(squaresB), eps))
  }
  return fromKernel(result, first.dtype)
}

/** The p-norm of x₁ - x₂ + eps over the last dimension. */
function pairwiseDistance(first: Tensor, second: Tensor, p: number, eps: number, keepdim: boolean): Tensor {
  const difference = addScaled(first, second, -1)
  requireFloating(difference, 'pairwise_distance')
  const shifted = mapUnary(difference, difference.dtype, { number: (x) => x + eps })
  return vectorNorm(shifted, new Double(p), [-1], keepdim, dtypes[difference.dtype].code)
}

export const similarityOperators: readonly Operator[] = [
  defineOp('aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor', {
    reference: ({ self, other, dims_self, dims_other }) => tensordot(self, other, dims_self, dims_other),
  }),
  defineOp('aten::inner(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => inner(self, other),
  }),
  defineOp('aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor', {
    freezable: ['weight', 'bias'],
    reference: ({ input1, input2, weight, bias }) => bilinear(input1, input2, weight, bias),
  }),
  defineOp('aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor', {
    reference: ({ x1, x2, dim, eps }) => cosineSimilarity(x1, x2, dim, eps),
  }),
  defineOp(
    'aten::pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, bool keepdim=False) -> Tensor',
    { reference: ({ x1, x2, p, eps, keepdim }) => pairwiseDistance(x1, x2, p, eps, keepdim) },
  ),
]
