import type { Value } from '../../ir/graph.ts'
import { BlockedLayout } from '../../tensor/layout.ts'
import { contiguousStrides } from '../../tensor/tensor.ts'
import type { MemoryDescriptor, Primitive } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'
import type { Placement } from './placement.ts'

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

export function rowMajor(lowering: Lowering, sizes: readonly number[]): MemoryDescriptor {
  return lowering.dnnl.describe('float32', sizes, contiguousStrides(sizes))
}

/** The value in row-major order. */
export function rowMajorOf(lowering: Lowering, value: Value): Placement {
  return lowering.in(value, rowMajor(lowering, lowering.tensorOf(value).sizes))
}

/** A look at a part, or at some elements several times, is copied first: the result has all of its elements once. */
export function denseOrCopied(lowering: Lowering, value: Value): Placement {
  const current = lowering.current(value)
  const { sizes, strides } = current.descriptor
  if (strides === undefined || isDense(sizes, strides)) return current
  return lowering.in(value, rowMajor(lowering, lowering.tensorOf(value).sizes))
}

/** Whether the elements fill their memory, each in a place of its own. */
function isDense(sizes: readonly number[], strides: readonly number[]): boolean {
  const axes = sizes.map((_, axis) => axis).filter((axis) => sizes[axis] !== 1)
  let expected = 1
  return axes
    .sort((a, b) => strides[a]! - strides[b]!)
    .every((axis) => {
      const fits = strides[axis] === expected
      expected *= sizes[axis]!
      return fits
    })
}
