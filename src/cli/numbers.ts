import { readNpy, writeNpy } from '../tensor/npy.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** The elements in row-major order as numbers (an int64 beyond 2^53 loses its last bits). */
export function numbersOf(tensor: Tensor): ArrayLike<number> {
  const rowMajor = tensor.isContiguous ? tensor : readNpy(writeNpy(tensor))
  const elements = rowMajor.data.subarray(rowMajor.storageOffset, rowMajor.storageOffset + rowMajor.numel)
  return elements instanceof BigInt64Array ? Float64Array.from(elements, Number) : elements
}
