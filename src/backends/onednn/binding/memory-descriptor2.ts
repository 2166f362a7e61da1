import { BlockedLayout } from '../../../tensor/layout.ts'
import { dtypeOfCode, NativeDescriptor, type DescriptorContent } from './native-descriptor.ts'

// dnnl_memory_desc_t of versions 2.x (dnnl_types.h), a plain C struct.
export const descriptorBytes = 696
const at = {
  sizes: 8,
  dtype: 104,
  paddedSizes: 112,
  formatKind: 312,
  strides: 320,
  innerBlocks: 416,
  innerSizes: 424,
  innerAxes: 520,
}
const formats = { any: 1, blocked: 2 }

/** A `dnnl_memory_desc_t` of version 2, read and written byte by byte. */
export class MemoryDescriptor2 extends NativeDescriptor {
  readonly bytes: Uint8Array

  /** @param sizeOf the library's `dnnl_memory_desc_get_size` */
  constructor(bytes: Uint8Array, sizeOf: (bytes: Uint8Array) => number) {
    super(contentOf(bytes, sizeOf))
    this.bytes = bytes
  }

  get pointer(): Uint8Array {
    return this.bytes
  }

  get key(): string {
    return Buffer.from(this.bytes).toString('base64')
  }

  protected isSame(other: NativeDescriptor): boolean {
    return other instanceof MemoryDescriptor2 && this.bytes.every((byte, i) => byte === other.bytes[i])
  }
}

function contentOf(bytes: Uint8Array, sizeOf: (bytes: Uint8Array) => number): DescriptorContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const numbers = (offset: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => Number(view.getBigInt64(offset + 8 * i, true)))
  const dimensions = view.getInt32(0, true)
  const formatKind = view.getInt32(at.formatKind, true)
  const format = formatKind === formats.any ? 'any' : formatKind === formats.blocked ? 'blocked' : 'opaque'
  const blockCount = format === 'blocked' ? view.getInt32(at.innerBlocks, true) : 0
  const axes = numbers(at.innerAxes, blockCount)
  return {
    dtype: dtypeOfCode(view.getInt32(at.dtype, true)),
    sizes: numbers(at.sizes, dimensions),
    paddedSizes: numbers(at.paddedSizes, dimensions),
    format,
    outerStrides: format === 'blocked' ? numbers(at.strides, dimensions) : [],
    blocks: numbers(at.innerSizes, blockCount).map((size, i) => ({ size, axis: axes[i]! })),
    byteLength: format === 'any' ? 0 : sizeOf(bytes),
  }
}

/** The C struct of memory with strides, in blocks, or of any layout. @param dtype the library's number of it */
export function structOf(
  dtype: number,
  sizes: readonly number[],
  layout: readonly number[] | BlockedLayout | 'any',
): Uint8Array {
  const bytes = new Uint8Array(descriptorBytes)
  const view = new DataView(bytes.buffer)
  const write = (offset: number, values: readonly number[]): void =>
    values.forEach((value, i) => view.setBigInt64(offset + 8 * i, BigInt(value), true))
  view.setInt32(0, sizes.length, true)
  view.setInt32(at.dtype, dtype, true)
  write(at.sizes, sizes)
  write(at.paddedSizes, sizes)
  view.setInt32(at.formatKind, layout === 'any' ? formats.any : formats.blocked, true)
  if (layout instanceof BlockedLayout) {
    const { blocks } = layout
    write(at.paddedSizes, layout.paddedSizes(sizes))
    write(at.strides, layout.outerStrides(sizes))
    view.setInt32(at.innerBlocks, blocks.length, true)
    write(
      at.innerSizes,
      blocks.map(({ size }) => size),
    )
    write(
      at.innerAxes,
      blocks.map(({ axis }) => axis),
    )
  } else if (layout !== 'any') write(at.strides, layout)
  return bytes
}
