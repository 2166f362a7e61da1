import type { Tensor } from '../tensor/tensor.ts'
import type { NumberArray } from './convert.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, contiguousData, numberData } from './tensor-access.ts'

/**
 * Rows of a table, one for each index: sizes of the indices, then the row's length.
 *
 * @throws OperatorArgumentError for an index without a row, a table that is no matrix, other indices than integers
 */
export function embedding(weight: Tensor, indices: Tensor): Tensor {
  const [rows, length] = weight.sizes
  if (weight.dim !== 2 || rows === undefined || length === undefined)
    throw new OperatorArgumentError(`'weight' must be 2-D, but got size ${sizesText(weight.sizes)}`, {
      argument: 'weight',
    })
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32')
    throw new OperatorArgumentError(`expected indices of dtype int64 or int32, but got ${indices.dtype}`, {
      argument: 'indices',
    })
  const result = allocateFor([weight, indices], weight.dtype, [...indices.sizes, length])
  if (result.isMeta) return result
  const table = contiguousData(weight) as NumberArray
  const out = result.data as NumberArray
  let to = 0
  for (const index of numberData(indices)) {
    if (index < 0 || index >= rows)
      throw new OperatorArgumentError(`index out of range in self: ${index} of ${rows} rows`, {
        argument: 'indices',
      })
    out.set(table.subarray(index * length, (index + 1) * length), to)
    to += length
  }
  return result
}

export const embeddingOperators: readonly Operator[] = [
  defineOp(
    'aten::embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor',
    { freezable: ['weight'], reference: ({ weight, indices }) => embedding(weight, indices) },
  ),
]
