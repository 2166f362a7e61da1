import type { Tensor } from '../tensor/tensor.ts'
import { addScaled, multiply } from './arithmetic.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { stack } from './joining.ts'
import { defineOp, type Operator } from './operator.ts'
import { select } from './slicing.ts'
import { contiguous } from './tensor-access.ts'

/**
 * The vector at right angles to two of three elements each, along a dimension; the others broadcast.
 *
 * @throws OperatorArgumentError when sizes do not fit
 */
function crossProduct(self: Tensor, other: Tensor, dimension: number): Tensor {
  if (self.dim !== other.dim)
    throw new OperatorArgumentError(
      `linalg.cross: inputs must have the same number of dimensions, but have ${self.dim} and ${other.dim}`,
    )
  const dim = wrapDimension(dimension, self.dim)
  if (self.sizes[dim] !== 3 || other.sizes[dim] !== 3)
    throw new OperatorArgumentError(
      `linalg.cross: inputs dimension ${dim} must have length 3, but the sizes are ${sizesText(self.sizes)} and ` +
        sizesText(other.sizes),
    )
  const sizes = broadcastSizes(self.sizes, other.sizes)
  const parts = [self, other].map((tensor) =>
    [0, 1, 2].map((i) => select(broadcastTo(tensor, sizes), dim, i)),
  ) as [Tensor[], Tensor[]]
  const component = (i: number): Tensor => {
    const [next, last] = [(i + 1) % 3, (i + 2) % 3]
    const [a, b] = parts
    return addScaled(multiply(a[next]!, b[last]!), multiply(a[last]!, b[next]!), -1)
  }
  return contiguous(stack([0, 1, 2].map(component), dim))
}

/** The first dimension of size 3, where none is named. */
function crossDimension(self: Tensor, dim: number | null): number {
  if (dim !== null) return dim
  const first = self.sizes.indexOf(3)
  if (first === -1)
    throw new OperatorArgumentError(`no dimension of size 3 in input of size ${sizesText(self.sizes)}`)
  return first
}

export const crossProductOperators: readonly Operator[] = [
  defineOp('aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor', {
    reference: ({ self, other, dim }) => crossProduct(self, other, crossDimension(self, dim)),
  }),
  defineOp('aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor', {
    reference: ({ self, other, dim }) => crossProduct(self, other, dim),
  }),
]
