import { contiguousData, floatData } from '../ops/tensor-access.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * The elements in row-major order as numbers: complex ones as two, quantised ones as they are stored. An int64 beyond
 * 2^53 loses its last bits.
 */
export function numbersOf(tensor: Tensor): ArrayLike<number> {
  const isHalf = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16'
  const elements = isHalf ? floatData(tensor) : contiguousData(tensor)
  return elements instanceof BigInt64Array ? Float64Array.from(elements, Number) : elements
}
