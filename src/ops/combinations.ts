import { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { indexSelect } from './gathering.ts'
import { meshgrid, stack } from './joining.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { allocateFor, checkBytes } from './tensor-access.ts'

/** Every choice of one element of each vector, a row each; of a single vector the vector itself. */
function cartesianProduct(tensors: readonly Tensor[]): Tensor {
  const odd = tensors.find((tensor) => tensor.dim !== 1)
  if (odd) throw new OperatorArgumentError(`expect a 1D vector, but got one of ${odd.dim} dimensions`)
  const [first] = tensors
  if (tensors.length === 1) return first!
  const flat = meshgrid(tensors, 'ij').map((grid) => reshape(grid, [-1]))
  return stack(flat, 1)
}

/** Every choice of `count` elements of a vector, in its order, a row each; elements may repeat if wanted. */
function combinations(self: Tensor, count: number, repeats: boolean): Tensor {
  if (self.dim !== 1) throw new OperatorArgumentError(`expect a 1D vector, but got ${self.dim} dimensions`)
  if (count < 0) throw new OperatorArgumentError(`expect a non-negative number, but got ${count}`)
  if (count === 0) return allocateFor([self], self.dtype, [0])
  const choices = choicesOf(self.sizes[0]!, count, repeats)
  const positions = Tensor.from('int64', [choices.length * count], choices.flat())
  return reshape(indexSelect(self, 0, positions), [choices.length, count])
}

/** Positions of each choice, in ascending order. */
function choicesOf(size: number, count: number, repeats: boolean): number[][] {
  let choices: number[][] = [[]]
  for (let i = 0; i < count; i++) {
    const next: number[][] = []
    for (const choice of choices) {
      const last = choice.at(-1)
      const first = last === undefined ? 0 : repeats ? last : last + 1
      for (let position = first; position < size; position++) next.push([...choice, position])
    }
    checkBytes(next.length * count * BigInt64Array.BYTES_PER_ELEMENT, [next.length, count])
    choices = next
  }
  return choices
}

export const combinationOperators: readonly Operator[] = [
  defineOp('aten::cartesian_prod(Tensor[] tensors) -> Tensor', {
    reference: ({ tensors }) => cartesianProduct(tensors),
  }),
  defineOp('aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor', {
    reference: ({ self, r, with_replacement }) => combinations(self, r, with_replacement),
  }),
]
