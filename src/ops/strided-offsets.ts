import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { checkBytes, numberData } from './tensor-access.ts'

/**
 * Where each element lies, in elements from the first, in row-major order of the sizes.
 *
 * @throws OperatorArgumentError for more elements than memory holds
 */
export function offsetTable(sizes: readonly number[], strides: readonly number[]): Float64Array {
  checkBytes(numelOf(sizes) * Float64Array.BYTES_PER_ELEMENT, sizes)
  let table = new Float64Array(sizes.includes(0) ? 0 : 1)
  sizes.forEach((size, dim) => {
    const next = new Float64Array(table.length * size)
    let at = 0
    for (const base of table) for (let i = 0; i < size; i++) next[at++] = base + i * strides[dim]!
    table = next
  })
  return table
}

/**
 * The numbers of an index tensor, counted from the front.
 *
 * @param allowNegative whether -1 means the last
 * @throws OperatorArgumentError with the first index that is out of bounds
 */
export function checkedIndices(
  index: Tensor,
  size: number,
  dim: number,
  allowNegative: boolean,
): Float64Array {
  if (index.dtype !== 'int64' && index.dtype !== 'int32')
    throw new OperatorArgumentError(`expected an index of dtype int32 or int64, not ${index.dtype}`)
  const least = allowNegative ? -size : 0
  return Float64Array.from(numberData(index), (value) => {
    if (value < least || value >= size)
      throw new OperatorArgumentError(
        `index ${value} is out of bounds for dimension ${dim} with size ${size}`,
      )
    return value < 0 ? value + size : value
  })
}
