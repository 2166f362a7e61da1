import type { Tensor } from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { sizesText } from './convolution-geometry.ts'
import { wrapDimension } from './dimension.ts'
import { trueDivide } from './division.ts'
import { OperatorArgumentError } from './errors.ts'
import { unsqueeze } from './expanding.ts'
import { requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { vectorNorm } from './spread.ts'
import { contiguous } from './tensor-access.ts'

/** The p-norm of each slice of a dimension, whose others stay with size 1; that of the whole tensor where `dim` is -1. */
function normExceptDim(v: Tensor, p: number, dim: number): Tensor {
  if (dim === -1) return vectorNorm(v, p, null, false, null)
  if (v.dim === 0)
    throw new OperatorArgumentError(`dimension specified as ${dim} but tensor has no dimensions`)
  const kept = wrapDimension(dim, v.dim)
  // One dimension more, so that there is always one to reduce.
  const reduced = [...v.sizes.map((_, d) => d).filter((d) => d !== kept), v.dim]
  const norms = vectorNorm(unsqueeze(v, v.dim), p, reduced, false, null)
  return reshape(
    norms,
    v.sizes.map((size, d) => (d === kept ? size : 1)),
  )
}

function hasKernel(v: Tensor, dim: number): boolean {
  return dim === 0 || dim === v.dim - 1
}

/**
 * Directions `v` brought to the lengths `g` (Salimans and Kingma 2016), row-major
 * (aten/src/ATen/native/WeightNorm.cpp), and the lengths that they had.
 *
 * @throws OperatorArgumentError when dtypes or sizes do not fit
 */
function weightNorm(v: Tensor, g: Tensor, dim: number): [Tensor, Tensor] {
  if (hasKernel(v, dim)) requireSameDType(v, { g })
  const norms = normExceptDim(v, 2, dim)
  return [multiply(contiguous(v), trueDivide(contiguous(g), norms)), norms]
}

export const weightNormOperators: readonly Operator[] = [
  defineOp('aten::norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor', {
    reference: ({ v, pow, dim }) => normExceptDim(v, pow, dim),
  }),
  defineOp('aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor', {
    parts: { v: 'weight', g: 'weight' },
    reference: ({ v, g, dim }) => weightNorm(v, g, dim)[0],
  }),
  defineOp('aten::_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)', {
    parts: { v: 'weight', g: 'weight' },
    reference: ({ v, g, dim }) => {
      if (hasKernel(v, dim)) return weightNorm(v, g, dim)
      throw new OperatorArgumentError(
        `fused kernels can only be applied for the first or last dim of v, not for dim ${dim} of ${sizesText(v.sizes)}`,
      )
    },
  }),
]
