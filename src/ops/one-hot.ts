import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, numberData } from './tensor-access.ts'

/**
 * A vector for each class number: 1 there, 0 elsewhere.
 *
 * @param classes how many there are; -1 to count up to the largest
 * @throws OperatorArgumentError for a class that there is not, or where they cannot be counted
 */
function oneHot(self: Tensor, classes: number): Tensor {
  if (self.dtype !== 'int64')
    throw new OperatorArgumentError(`one_hot is only applicable to index tensors of int64, not ${self.dtype}`)
  if (self.numel === 0 && classes <= 0)
    throw new OperatorArgumentError('cannot infer the total number of classes from an empty tensor')
  if (classes < -1) throw new OperatorArgumentError(`num_classes must not be negative, but is ${classes}`)
  const count = classes === -1 ? largest(numberData(self)) + 1 : classes
  const result = allocateFor([self], 'int64', [...self.sizes, count])
  if (result.isMeta) return result
  const out = result.data as BigInt64Array
  numberData(self).forEach((value, i) => {
    if (value < 0 || value >= count)
      throw new OperatorArgumentError(
        `class values must be non-negative and smaller than num_classes, but got ${value} of ${count}`,
      )
    out[i * count + value] = 1n
  })
  return result
}

function largest(values: Iterable<number>): number {
  let most = -1
  for (const value of values) most = Math.max(most, value)
  return most
}

export const oneHotOperators: readonly Operator[] = [
  defineOp('aten::one_hot(Tensor self, int num_classes=-1) -> Tensor', {
    reference: ({ self, num_classes }) => oneHot(self, num_classes),
  }),
]
