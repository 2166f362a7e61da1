import type { Tensor } from '../tensor/tensor.ts'
import { addScaled } from './arithmetic.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { cat } from './joining.ts'
import { predicate } from './binary.ts'
import { defineOp, type Operator } from './operator.ts'
import { narrow } from './slicing.ts'
import { allocateFor, cloneAs } from './tensor-access.ts'

/** Each element less the one before it along a dimension, `order` times over; of bools whether the two differ. */
function differences(self: Tensor, order: number, dimension: number): Tensor {
  const dim = wrapDimension(dimension, self.dim)
  if (order === 0) return cloneAs(self)
  if (order >= self.sizes[dim]!) return allocateFor([self], self.dtype, self.sizes.with(dim, 0))
  let result = self
  for (let i = 0; i < order; i++) result = differenceOnce(result, dim)
  return result
}

function differenceOnce(self: Tensor, dim: number): Tensor {
  const length = self.sizes[dim]! - 1
  const [after, before] = [narrow(self, dim, 1, length), narrow(self, dim, 0, length)]
  return self.dtype === 'bool'
    ? predicate(after, before, { number: (a, b) => a !== b })
    : addScaled(after, before, -1)
}

export const differenceOperators: readonly Operator[] = [
  defineOp(
    'aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor',
    {
      reference: ({ self, n, dim, prepend, append }) => {
        if (self.dim === 0)
          throw new OperatorArgumentError('diff expects input to be at least one-dimensional')
        if (n < 0)
          throw new OperatorArgumentError(`order must be non-negative but got ${n}`, { argument: 'n' })
        const parts = [prepend, self, append].filter((part) => part !== null)
        return differences(parts.length === 1 || n === 0 ? self : cat(parts, dim), n, dim)
      },
    },
  ),
]
