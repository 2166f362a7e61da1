import { scalarToNumber } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { wrapDimension } from './dimension.ts'
import { mapUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { vectorNorm } from './spread.ts'
import { contiguous } from './tensor-access.ts'

/**
 * Slices along a dimension whose p-norm is greater than `limit`, made as long as that; the others as they are.
 *
 * @throws OperatorArgumentError for norms that are none, or fewer than two dimensions
 */
function renorm(self: Tensor, p: number, dimension: number, limit: number): Tensor {
  if (!(p > 0)) throw new OperatorArgumentError(`renorm: non-positive-norm not supported: p = ${p}`)
  if (!(limit >= 0))
    throw new OperatorArgumentError(`renorm: expected maxnorm to be >= 0 but got ${limit}`, {
      argument: 'maxnorm',
    })
  if (self.dim < 2)
    throw new OperatorArgumentError(`renorm: input needs at least 2 dimensions, got ${self.dim} dimensions`)
  const dim = wrapDimension(dimension, self.dim)
  const others = self.sizes.map((_, d) => d).filter((d) => d !== dim)
  const norms = vectorNorm(self, p, others, true, null)
  return multiply(
    contiguous(self),
    mapUnary(norms, norms.dtype, { number: (norm) => (norm > limit ? limit / (norm + 1e-7) : 1) }),
  )
}

export const renormOperators: readonly Operator[] = withInPlace(
  defineOp('aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor', {
    reference: ({ self, p, dim, maxnorm }) => renorm(self, scalarToNumber(p), dim, scalarToNumber(maxnorm)),
  }),
)
