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
  const others = sizes.map((_, i) => i).filter((i) => i !== axis)
  return lowering.dnnl.describe('float32', sizes, stridesOfOrder(sizes, [...others, axis]))
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
  return lowering.in(value, lowering.dnnl.describe('float32', sizes, denseLike(sizes, strides)))
}

/**
 * As `denseOrCopied`, but also copied unless images lie one behind the other, row-major, channels-last or in blocks of channels:
 * some of the library's kernels (2.6.3: prelu, and plain loops over padded blocks) take it for so.
 */
export function imagesOrCopied(lowering: Lowering, value: Value): Placement {
  const current = denseOrCopied(lowering, value)
  const { sizes, strides, layout } = current.descriptor
  const isUsual =
    strides === undefined
      ? layout?.kind === 'blocked' && layout.order.every((axis, i) => axis === i)
      : [rowMajor(lowering, sizes), channelsLast(lowering, sizes)].some((usual) =>
          usual.equals(current.descriptor),
        )
  return isUsual ? current : rowMajorOf(lowering, value)
}

/** Strides without gaps, axes in the same order in memory. */
function denseLike(sizes: readonly number[], strides: readonly number[]): readonly number[] {
  const axes = sizes.map((_, axis) => axis)
  // Where an axis has no order of its own it keeps its place.
  if (strides.some((stride, axis) => stride === 0 && sizes[axis] !== 1)) return contiguousStrides(sizes)
  const order = axes.toSorted((a, b) => strides[b]! - strides[a]! || a - b)
  return stridesOfOrder(sizes, order)
}

/** @param order axes, the outermost in memory first */
function stridesOfOrder(sizes: readonly number[], order: readonly number[]): readonly number[] {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (const axis of order.toReversed()) {
    strides[axis] = stride
    stride *= sizes[axis]!
  }
  return strides
}

/**
 * Strides of a copy of what lies so: row-major, but axes that are inside the last one in memory stay there, in their own order.
 * Groups of channels that changed places where channels are innermost are channels again, and still innermost.
 */
export function copyStrides(sizes: readonly number[], strides: readonly number[]): readonly number[] {
  const last = sizes.length - 1
  const axes = sizes.map((_, axis) => axis)
  const inner = axes.filter((axis) => axis < last && sizes[axis] !== 1 && strides[axis]! < strides[last]!)
  return stridesOfOrder(sizes, [...axes.filter((axis) => !inner.includes(axis)), ...inner])
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
