import { invariant } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { BlockedLayout, OpaqueLayout, type Layout } from '../../tensor/layout.ts'
import { numelOf } from '../../tensor/tensor.ts'
import { OneDnnError } from './errors.ts'
import type { MemoryDescriptor } from './dnnl.ts'
import { PlainDescriptor } from './plain-descriptor.ts'

// dnnl_memory_desc_t of versions 2.x (dnnl_types.h), a plain C struct.
export const descriptorBytes = 696
const at = {
  sizes: 8,
  dtype: 104,
  paddedSizes: 112,
  paddedOffsets: 208,
  formatKind: 312,
  strides: 320,
  innerBlocks: 416,
  innerSizes: 424,
  innerAxes: 520,
}
const anyFormat = 1
const blockedFormat = 2

const dtypeCodes: Readonly<Partial<Record<DType, number>>> = {
  float16: 1,
  bfloat16: 2,
  float32: 3,
  int32: 4,
  int8: 5,
  uint8: 6,
}

const letters = 'abcdefghijkl'

function setBlocks(view: DataView, layout: BlockedLayout, sizes: readonly number[]): void {
  layout.paddedSizes(sizes).forEach((size, i) => view.setBigInt64(at.paddedSizes + 8 * i, BigInt(size), true))
  view.setInt32(at.innerBlocks, layout.blocks.length, true)
  layout.blocks.forEach(({ axis, size }, i) => {
    view.setBigInt64(at.innerSizes + 8 * i, BigInt(size), true)
    view.setBigInt64(at.innerAxes + 8 * i, BigInt(axis), true)
  })
}

/** A `dnnl_memory_desc_t`, read and written byte by byte. */
export class MemoryDescriptor2 implements MemoryDescriptor {
  readonly bytes: Uint8Array
  readonly byteLength: number
  readonly dtype: DType
  readonly #view: DataView

  /** @param sizeOf the library's `dnnl_memory_desc_get_size` */
  constructor(bytes: Uint8Array, sizeOf: (bytes: Uint8Array) => number) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const code = this.#view.getInt32(at.dtype, true)
    const [dtype] = Object.entries(dtypeCodes).find(([, known]) => known === code) ?? ['float32']
    this.dtype = dtype as DType
    this.byteLength = this.isAny ? 0 : sizeOf(bytes)
  }

  static describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
    sizeOf: (bytes: Uint8Array) => number,
  ): MemoryDescriptor {
    // The library knows no scalars: to it they are vectors of one element.
    if (sizes.length === 0 && !(layout instanceof BlockedLayout))
      return MemoryDescriptor2.describe(dtype, [1], layout === 'any' ? layout : [1], sizeOf)
    const code = dtypeCodes[dtype]
    if (code === undefined || sizes.length > 12 || numelOf(sizes) === 0) {
      if (Array.isArray(layout)) return new PlainDescriptor(dtype, sizes, layout as readonly number[])
      throw new OneDnnError('unimplemented', `describing a ${dtype} tensor of sizes [${sizes.join(', ')}]`)
    }
    const bytes = new Uint8Array(descriptorBytes)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, sizes.length, true)
    view.setInt32(at.dtype, code, true)
    sizes.forEach((size, i) => {
      view.setBigInt64(at.sizes + 8 * i, BigInt(size), true)
      view.setBigInt64(at.paddedSizes + 8 * i, BigInt(size), true)
    })
    view.setInt32(at.formatKind, layout === 'any' ? anyFormat : blockedFormat, true)
    if (layout instanceof BlockedLayout) setBlocks(view, layout, sizes)
    const strides = layout instanceof BlockedLayout ? layout.outerStrides(sizes) : layout
    if (strides !== 'any')
      strides.forEach((stride, i) => view.setBigInt64(at.strides + 8 * i, BigInt(stride), true))
    return new MemoryDescriptor2(bytes, sizeOf)
  }

  get isAny(): boolean {
    return this.#view.getInt32(at.formatKind, true) === anyFormat
  }

  get sizes(): readonly number[] {
    return this.#numbers(at.sizes, this.#view.getInt32(0, true))
  }

  get paddedSizes(): readonly number[] {
    return this.#numbers(at.paddedSizes, this.#view.getInt32(0, true))
  }

  #numbers(offset: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => Number(this.#view.getBigInt64(offset + 8 * i, true)))
  }

  get #blocks(): readonly { readonly size: number; readonly axis: number }[] {
    const count = this.#view.getInt32(at.innerBlocks, true)
    const axes = this.#numbers(at.innerAxes, count)
    return this.#numbers(at.innerSizes, count).map((size, i) => ({ size, axis: axes[i]! }))
  }

  get #outerStrides(): readonly number[] {
    return this.#numbers(at.strides, this.sizes.length)
  }

  get key(): string {
    return Buffer.from(this.bytes).toString('base64')
  }

  get layout(): Layout | undefined {
    const kind = this.#view.getInt32(at.formatKind, true)
    if (kind === anyFormat) return undefined
    if (kind !== blockedFormat) return new OpaqueLayout('onednn', 'opaque', this.byteLength, this.bytes)
    return new BlockedLayout(this.#order, this.#blocks)
  }

  /** Axes, slowest first. */
  get #order(): readonly number[] {
    const strides = this.#outerStrides
    return strides.map((_, axis) => axis).sort((a, b) => strides[b]! - strides[a]! || a - b)
  }

  get tag(): string {
    const kind = this.#view.getInt32(at.formatKind, true)
    if (kind !== blockedFormat) return kind === anyFormat ? 'any' : 'opaque'
    const blocks = this.#blocks
    const blocked = new Set(blocks.map(({ axis }) => axis))
    const outer = this.#order.map((axis) =>
      blocked.has(axis) ? letters[axis]!.toUpperCase() : letters[axis]!,
    )
    return outer.join('') + blocks.map(({ size, axis }) => `${size}${letters[axis]!}`).join('')
  }

  /** Blocks that are wholly one behind the other make a stride again, as `nChw16c` of 1 × 1 images does. */
  get strides(): readonly number[] | undefined {
    if (this.#view.getInt32(at.formatKind, true) !== blockedFormat) return undefined
    const { sizes, paddedSizes } = this
    const strides = [...this.#outerStrides]
    const seen = new Set<number>()
    let inner = 1
    for (const { size, axis } of this.#blocks.toReversed()) {
      const outer = paddedSizes[axis]! / size
      if (seen.has(axis) || (outer > 1 && strides[axis] !== size * inner)) return undefined
      if (paddedSizes[axis] !== sizes[axis]) return undefined
      seen.add(axis)
      strides[axis] = inner
      inner *= size
    }
    return strides
  }

  equals(other: MemoryDescriptor): boolean {
    if (this === other) return true
    if (!(other instanceof MemoryDescriptor2)) return false
    const mine = this.strides
    const others = other.strides
    if (mine && others)
      return (
        this.dtype === other.dtype &&
        this.sizes.join() === other.sizes.join() &&
        this.sizes.every((size, i) => size === 1 || mine[i] === others[i])
      )
    return this.bytes.every((byte, i) => byte === other.bytes[i])
  }
}

/**
 * The C struct of a descriptor that this version of the binding made.
 *
 * @throws OneDnnError with status `unimplemented` for memory that the library cannot describe
 */
export function bytesOf(descriptor: MemoryDescriptor): Uint8Array {
  if (descriptor instanceof PlainDescriptor)
    throw new OneDnnError('unimplemented', `describing a ${descriptor.dtype} tensor`)
  invariant(descriptor instanceof MemoryDescriptor2, 'a descriptor of another version of the library')
  return descriptor.bytes
}
