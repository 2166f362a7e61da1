import type { Tensor } from '../tensor/tensor.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { unbind } from './slicing.ts'
import { allocate, numberData } from './tensor-access.ts'

/** The coordinates of all elements that are not zero, in row-major order: int64 [count, rank]. */
export function nonzero(self: Tensor): Tensor {
  const flat = numberData(self)
  const found: number[] = []
  for (let i = 0; i < flat.length; i++) if (flat[i] !== 0) found.push(i)
  const result = allocate('int64', [found.length, self.dim])
  const out = result.data as BigInt64Array
  found.forEach((position, row) => {
    let rest = position
    for (let dim = self.dim - 1; dim >= 0; dim--) {
      const size = self.sizes[dim]!
      out[row * self.dim + dim] = BigInt(rest % size)
      rest = Math.floor(rest / size)
    }
  })
  return result
}

/** As `nonzero`, with one vector per dimension. */
export function nonzeroPerDimension(self: Tensor): Tensor[] {
  return unbind(nonzero(self.dim === 0 ? reshape(self, [1]) : self), 1)
}

export const nonzeroOperators: readonly Operator[] = [
  defineOp('aten::nonzero(Tensor self) -> Tensor', { reference: ({ self }) => nonzero(self) }),
  defineOp('aten::argwhere(Tensor self) -> Tensor', { reference: ({ self }) => nonzero(self) }),
  defineOp('aten::nonzero_numpy(Tensor self) -> Tensor[]', {
    reference: ({ self }) => nonzeroPerDimension(self),
  }),
  defineOp('aten::where(Tensor condition) -> Tensor[]', {
    reference: ({ condition }) => nonzeroPerDimension(condition),
  }),
]
