import type { Tensor } from '../tensor/tensor.ts'
import { itemSize } from '../tensor/dtype.ts'
import { InputError } from './errors.ts'

/**
 * Native code reads what a tensor describes: it must be there.
 *
 * @throws InputError where the memory was given away, or is smaller than sizes and strides say
 */
export function requireMemory(tensor: Tensor, argument?: string): void {
  if (tensor.isMeta) return
  const { storage } = tensor
  const place = argument === undefined ? {} : { argument }
  if (storage.bytes.length < storage.byteLength)
    throw new InputError(
      'the memory of an input tensor is gone',
      place,
      'its buffer was transferred or shrunk; pass a copy',
    )
  const needed = tensor.layout === undefined ? bytesNeeded(tensor) : 0
  if (needed <= storage.byteLength) return
  throw new InputError(
    `an input tensor of sizes [${tensor.sizes.join(', ')}] and strides [${tensor.strides.join(', ')}] needs ` +
      `${needed} bytes, but its storage has ${storage.byteLength}`,
    place,
    'sizes, strides and offset are whole numbers, not below 0, of elements that the storage holds',
  )
}

/** Up to the last element; infinite where the description makes no sense. */
function bytesNeeded({ dtype, sizes, strides, storageOffset }: Tensor): number {
  const isCount = (n = -1): boolean => Number.isSafeInteger(n) && n >= 0
  if (!isCount(storageOffset) || !sizes.every(isCount) || !sizes.every((_, i) => isCount(strides[i])))
    return Infinity
  if (sizes.includes(0)) return 0
  const last = sizes.reduce((at, size, i) => at + (size - 1) * (strides[i] ?? 0), storageOffset)
  return (last + 1) * itemSize(dtype)
}
