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
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (const axis of [
    1,
    ...sizes
      .map((_, i) => i)
      .slice(2)
      .reverse(),
    0,
  ]) {
    strides[axis] = stride
    stride *= sizes[axis]!
  }
  return lowering.dnnl.describe('float32', sizes, strides)
}
