import { invariant } from '../../../errors.ts'
import type { DType } from '../../../tensor/dtype.ts'
import { BlockedLayout, OpaqueLayout, type Layout } from '../../../tensor/layout.ts'
import { numelOf } from '../../../tensor/tensor.ts'
import type { MemoryDescriptor } from './dnnl.ts'
import { OneDnnError } from './errors.ts'
import type { CArgument } from './foreign-library.ts'
import { PlainDescriptor } from './plain-descriptor.ts'

// dnnl_data_type_t (dnnl_types.h), the same in versions 2 and 3.
const dtypeCodes: Readonly<Partial<Record<DType, number>>> = {
  float16: 1,
  bfloat16: 2,
  float32: 3,
  int32: 4,
  int8: 5,
  uint8: 6,
}
const dtypes = new Map(Object.entries(dtypeCodes).map(([dtype, code]) => [code, dtype as DType]))
const letters = 'abcdefghijkl'

/** The library's greatest number of dimensions. */
export const mostDimensions = letters.length

/** Scratchpads have no dtype and are bytes. */
export function dtypeOfCode(code: number): DType {
  return dtypes.get(code) ?? 'float32'
}

/** What `dnnl_memory_desc_t` holds in every version. */
export interface DescriptorContent {
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly paddedSizes: readonly number[]
  /** `opaque` for what only the library reads. */
  readonly format: 'any' | 'blocked' | 'opaque'
  /** Between whole blocks, in elements. */
  readonly outerStrides: readonly number[]
  /** Outermost first. */
  readonly blocks: readonly { readonly size: number; readonly axis: number }[]
  /** With padding; 0 for `any`. */
  readonly byteLength: number
}

/** Memory that the library can describe. */
export abstract class NativeDescriptor implements MemoryDescriptor {
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly byteLength: number
  protected readonly content: DescriptorContent

  constructor(content: DescriptorContent) {
    this.content = content
    this.dtype = content.dtype
    this.sizes = content.sizes
    this.byteLength = content.byteLength
  }

  /** What C functions take for it. */
  abstract readonly pointer: CArgument
  abstract readonly key: string
  /** What is known of a layout that only the library reads. */
  protected abstract readonly bytes: Uint8Array
  protected abstract isSame(other: NativeDescriptor): boolean

  get layout(): Layout | undefined {
    const { format, blocks } = this.content
    if (format === 'any') return undefined
    if (format === 'opaque') return new OpaqueLayout('onednn', 'opaque', this.byteLength, this.bytes)
    return new BlockedLayout(this.#order, blocks)
  }

  /** Axes, slowest first. */
  get #order(): readonly number[] {
    const strides = this.content.outerStrides
    return strides.map((_, axis) => axis).sort((a, b) => strides[b]! - strides[a]! || a - b)
  }

  get tag(): string {
    const { format, blocks } = this.content
    return format === 'blocked' ? tagOf(this.#order, blocks) : format
  }

  /** Blocks that are wholly one behind the other make a stride again, as `nChw16c` of 1 × 1 images does. */
  get strides(): readonly number[] | undefined {
    const { format, sizes, paddedSizes, outerStrides, blocks } = this.content
    if (format !== 'blocked') return undefined
    const strides = [...outerStrides]
    const seen = new Set<number>()
    let inner = 1
    for (const { size, axis } of blocks.toReversed()) {
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
    if (!(other instanceof NativeDescriptor)) return false
    const mine = this.strides
    const others = other.strides
    if (mine && others)
      return (
        this.dtype === other.dtype &&
        this.sizes.join() === other.sizes.join() &&
        this.sizes.every((size, i) => size === 1 || mine[i] === others[i])
      )
    return this.isSame(other)
  }
}

/** The library's name of a blocked layout, in abstract letters: `aBcd16b`. */
export function tagOf(order: readonly number[], blocks: DescriptorContent['blocks']): string {
  const blocked = new Set(blocks.map(({ axis }) => axis))
  const outer = order.map((axis) => (blocked.has(axis) ? letters[axis]!.toUpperCase() : letters[axis]!))
  return outer.join('') + blocks.map(({ size, axis }) => `${size}${letters[axis]!}`).join('')
}

/** How each version of the library makes a descriptor. @param dtype the library's number of it */
type Maker = (
  dtype: number,
  sizes: readonly number[],
  layout: readonly number[] | BlockedLayout | 'any',
) => NativeDescriptor

/**
 * A descriptor of the library's where it can be, or one that only the reference kernels understand.
 *
 * @throws OneDnnError with status `unimplemented` for a layout of what the library cannot describe
 */
export function describeMemory(
  dtype: DType,
  sizes: readonly number[],
  layout: readonly number[] | BlockedLayout | 'any',
  make: Maker,
): MemoryDescriptor {
  // The library knows no scalars: to it they are vectors of one element.
  if (sizes.length === 0 && !(layout instanceof BlockedLayout))
    return describeMemory(dtype, [1], layout === 'any' ? layout : [1], make)
  const code = dtypeCodes[dtype]
  if (code !== undefined && sizes.length <= mostDimensions && numelOf(sizes) > 0)
    return make(code, sizes, layout)
  if (Array.isArray(layout)) return new PlainDescriptor(dtype, sizes, layout as readonly number[])
  throw new OneDnnError('unimplemented', `describing a ${dtype} tensor of sizes [${sizes.join(', ')}]`)
}

/**
 * What C functions take for a descriptor.
 *
 * @throws OneDnnError with status `unimplemented` for memory that the library cannot describe
 */
export function pointerTo(descriptor: MemoryDescriptor): CArgument {
  if (descriptor instanceof PlainDescriptor)
    throw new OneDnnError('unimplemented', `describing a ${descriptor.dtype} tensor`)
  invariant(descriptor instanceof NativeDescriptor, 'a descriptor of no library')
  return descriptor.pointer
}
