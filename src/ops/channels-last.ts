import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fromKernel } from './float-compute.ts'
import { channelsLastStrides } from './memory-layout.ts'
import { cloneAs } from './tensor-access.ts'

/**
 * Whether an operator on images should answer in channels-last order (`Tensor::suggest_memory_format`): the strides
 * of a 4- or 5-dimensional tensor grow in the order C, W, H, (D,) N; ties are read as row-major
 * (c10/core/MemoryFormat.h, is_channels_last_strides_2d_s4).
 */
export function suggestsChannelsLast({ sizes, strides, dim }: Tensor): boolean {
  if ((dim !== 4 && dim !== 5) || strides[1] === 0) return false
  const order = dim === 4 ? [1, 3, 2, 0] : [1, 4, 3, 2, 0]
  let least = 0
  for (const d of order) {
    if (sizes[d] === 0 || strides[d]! < least) return false
    if (d === 0 && least === strides[1]) return false
    least = sizes[d]! > 1 ? strides[d]! * sizes[d]! : strides[d]!
  }
  return true
}

/** Strides for a result of the given sizes in the memory order that `like` suggests. */
export function stridesLike(sizes: readonly number[], like: Tensor): number[] | undefined {
  return suggestsChannelsLast(like) && sizes.length === like.dim ? channelsLastStrides(sizes) : undefined
}

/** A row-major result in the memory order that the input suggests, converted to a dtype, the input's unless named. */
export function inOrderOf(input: Tensor, result: Tensor, dtype: DType = input.dtype): Tensor {
  return cloneOrSame(fromKernel(result, dtype), stridesLike(result.sizes, input))
}

function cloneOrSame(tensor: Tensor, strides: readonly number[] | undefined): Tensor {
  return strides === undefined ? tensor : cloneAs(tensor, tensor.dtype, strides)
}
