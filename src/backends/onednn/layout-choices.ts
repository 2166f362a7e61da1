import { BlockedLayout } from '../../tensor/layout.ts'
import type { MemoryDescriptor, Primitive } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'

/** The library's own plain loops. */
export function isSlow({ implementation }: Primitive): boolean {
  return implementation.startsWith('ref')
}

/** Whether neighbouring channels are neighbours in memory. */
export function isChannelsLast({ strides, sizes }: MemoryDescriptor): boolean {
  if (strides === undefined || sizes.length < 3 || sizes[1] === 1) return false
  return strides[1] === 1 && sizes.slice(2).some((size) => size > 1)
}

/** Memory with channels innermost. */
export function channelsLast(lowering: Lowering, sizes: readonly number[]): MemoryDescriptor {
  return axisInnermost(lowering, sizes, 1)
}

/** Memory with that axis innermost, the others row-major. */
export function axisInnermost(lowering: Lowering, sizes: readonly number[], axis: number): MemoryDescriptor {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  const others = sizes.map((_, i) => i).filter((i) => i !== axis)
  for (const each of [axis, ...others.reverse()]) {
    strides[each] = stride
    stride *= sizes[each]!
  }
  return lowering.dnnl.describe('float32', sizes, strides)
}

/** Channels in blocks of 16, as vector kernels of all kinds take them. */
export function blockedBy16(lowering: Lowering, sizes: readonly number[]): MemoryDescriptor {
  const order = sizes.map((_, axis) => axis)
  return lowering.dnnl.describe('float32', sizes, new BlockedLayout(order, [{ axis: 1, size: 16 }]))
}
