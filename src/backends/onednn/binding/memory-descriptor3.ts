import { BlockedLayout } from '../../../tensor/layout.ts'
import { OneDnnError } from './errors.ts'
import { readLongs } from './foreign-library.ts'
import type { Functions } from './functions.ts'
import { dtypeOfCode, NativeDescriptor, tagOf, type DescriptorContent } from './native-descriptor.ts'
import { releaseWith } from './release.ts'

// Numbers of enumerations in oneDNN 3.x (dnnl_types.h).
const query = {
  strides: 14,
  dimensions: 256,
  sizes: 257,
  dtype: 258,
  paddedSizes: 260,
  formatKind: 262,
  innerBlocks: 263,
  innerSizes: 264,
  innerAxes: 265,
}
const formats = { any: 1, blocked: 2 }
const anyTag = 1

/** A `dnnl_memory_desc_t` of version 3, an object that only the library looks into; it is given back with ours. */
export class MemoryDescriptor3 extends NativeDescriptor {
  readonly pointer: bigint
  readonly #functions: Functions

  constructor(handle: bigint, functions: Functions) {
    super(contentOf(handle, functions))
    this.pointer = handle
    this.#functions = functions
    releaseWith(this, () => functions.call('dnnl_memory_desc_destroy', 'void* desc', handle))
  }

  get key(): string {
    const { dtype, sizes, paddedSizes, outerStrides, format } = this.content
    if (format === 'opaque') return Buffer.from(this.bytes).toString('base64')
    return [dtype, this.tag, sizes.join('x'), paddedSizes.join('x'), outerStrides.join('x')].join(' ')
  }

  protected get bytes(): Uint8Array {
    const parameters = 'void* blob, void* size, void* desc'
    const size = new BigUint64Array(1)
    this.#functions.call('dnnl_memory_desc_get_blob', parameters, null, size, this.pointer)
    const blob = new Uint8Array(Number(size[0]))
    this.#functions.call('dnnl_memory_desc_get_blob', parameters, blob, size, this.pointer)
    return blob
  }

  protected isSame(other: NativeDescriptor): boolean {
    if (!(other instanceof MemoryDescriptor3)) return false
    return (
      this.#functions.get('dnnl_memory_desc_equal', 'void* a, void* b')(this.pointer, other.pointer) !== 0
    )
  }
}

function contentOf(handle: bigint, functions: Functions): DescriptorContent {
  const ask = functions.get('dnnl_memory_desc_query', 'void* desc, int what, void* result')
  const number = (what: number): number => {
    const out = new Int32Array(1)
    ask(handle, what, out)
    return out[0]!
  }
  const numbers = (what: number, count: number): readonly number[] => {
    if (count === 0) return []
    const out = new BigUint64Array(1)
    ask(handle, what, out)
    return readLongs(out[0]!, count)
  }
  const dimensions = number(query.dimensions)
  const formatKind = number(query.formatKind)
  const format = formatKind === formats.any ? 'any' : formatKind === formats.blocked ? 'blocked' : 'opaque'
  const blockCount = format === 'blocked' ? number(query.innerBlocks) : 0
  const axes = numbers(query.innerAxes, blockCount)
  const bytes = functions.get('dnnl_memory_desc_get_size', 'void* desc', 'size_t')
  return {
    dtype: dtypeOfCode(number(query.dtype)),
    sizes: numbers(query.sizes, dimensions),
    paddedSizes: numbers(query.paddedSizes, dimensions),
    format,
    outerStrides: format === 'blocked' ? numbers(query.strides, dimensions) : [],
    blocks: numbers(query.innerSizes, blockCount).map((size, i) => ({ size, axis: axes[i]! })),
    byteLength: format === 'any' ? 0 : bytes(handle),
  }
}

/** Describes memory with strides, in blocks, or of any layout. */
export class DescriptorMaker {
  readonly #functions: Functions
  readonly #tags: ReadonlyMap<string, number>

  constructor(functions: Functions) {
    this.#functions = functions
    this.#tags = tagsOf(functions)
  }

  /**
   * @param dtype the library's number of it
   * @throws OneDnnError with status `unimplemented` for blocks that the library has no name for
   */
  make(
    dtype: number,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor3 {
    const described = [sizes.length, BigInt64Array.from(sizes, BigInt), dtype] as const
    const parameters = 'int dimensions, void* sizes, int dtype'
    const handle =
      layout === 'any' || layout instanceof BlockedLayout
        ? this.#functions.handle(
            'dnnl_memory_desc_create_with_tag',
            `${parameters}, int tag`,
            ...[...described, layout === 'any' ? anyTag : this.#tag(layout)],
          )
        : this.#functions.handle(
            'dnnl_memory_desc_create_with_strides',
            `${parameters}, void* strides`,
            ...[...described, BigInt64Array.from(layout, BigInt)],
          )
    return new MemoryDescriptor3(handle, this.#functions)
  }

  #tag({ order, blocks }: BlockedLayout): number {
    const name = tagOf(order, blocks)
    const tag = this.#tags.get(name)
    if (tag === undefined) throw new OneDnnError('unimplemented', `describing memory in ${name}`)
    return tag
  }

  /** A descriptor of ours for one of the library's. */
  clone(address: bigint): MemoryDescriptor3 {
    return new MemoryDescriptor3(
      this.#functions.handle('dnnl_memory_desc_clone', 'void* existing', address),
      this.#functions,
    )
  }
}

const firstNamedTag = 2
const unknownTag = 'unknown fmt_tag'

/** The library's numbers of layouts by their names; they differ from release to release, so the library is asked. */
function tagsOf(functions: Functions): ReadonlyMap<string, number> {
  const nameOf = functions.get('dnnl_fmt_tag2str', 'int tag', 'const char*') as unknown as (
    tag: number,
  ) => string
  const tags = new Map<string, number>()
  for (let tag = firstNamedTag; ; tag++) {
    const name = nameOf(tag)
    if (name === unknownTag) return tags
    tags.set(name, tag)
  }
}
