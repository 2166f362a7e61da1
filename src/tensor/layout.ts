import { LayoutError } from './errors.ts'
import { formatTag, parseTag, type LayoutBlock, type LayoutRole } from './layout-tag.ts'

export type { LayoutBlock, LayoutRole } from './layout-tag.ts'

export type Layout = BlockedLayout | OpaqueLayout

/**
 * Where the elements of a tensor lie: outer axes in some order, of each axis' index the rest in inner blocks, the last
 * block of an axis padded with zeros. The general form of `dnnl_blocking_desc_t` (oneDNN, dnnl_types.h).
 *
 * The logical axes are those of the tensor, but that axis 0 of a grouped weight is split into group and output channel.
 */
export class BlockedLayout {
  readonly kind = 'blocked'
  /** All logical axes, slowest first. */
  readonly order: readonly number[]
  /** Outermost inner block first. */
  readonly blocks: readonly LayoutBlock[]
  readonly role: LayoutRole
  /** Groups that axis 0 of the tensor is split into; undefined if it is not. */
  readonly groups: number | undefined
  /** oneDNN's name, `nChw16c`. */
  readonly tag: string
  readonly #blockOf: readonly number[]

  /** @throws LayoutError */
  constructor(
    order: readonly number[],
    blocks: readonly LayoutBlock[],
    role: LayoutRole = 'abstract',
    groups?: number,
  ) {
    this.order = order
    this.blocks = blocks
    this.role = role
    this.groups = groups
    this.tag = formatTag({ role, order, blocks })
    this.#blockOf = order.map((_, axis) =>
      blocks.reduce((product, block) => (block.axis === axis ? product * block.size : product), 1),
    )
    checkGroups(this.tag, role, groups)
  }

  /** Number of axes of the tensors that it is for. */
  get rank(): number {
    return this.order.length - (this.groups === undefined ? 0 : 1)
  }

  /** The row-major layout of the same tensors: `nchw` for `nChw16c`. */
  get plain(): BlockedLayout {
    return new BlockedLayout([...this.order.keys()], [], this.role, this.groups)
  }

  /** The blocks of a logical axis, multiplied; 1 if it is not blocked. */
  blockOf(axis: number): number {
    return this.#blockOf[axis] ?? 1
  }

  /**
   * Sizes of the logical axes for a tensor of the given sizes.
   *
   * @throws LayoutError when the tensor has another number of axes, or its groups are of unequal size
   */
  logicalSizes(sizes: readonly number[]): number[] {
    if (sizes.length !== this.rank)
      throw new LayoutError(`a tensor of ${sizes.length} axes cannot lie as ${this.tag}`)
    if (this.groups === undefined) return [...sizes]
    const [first = 0, ...rest] = sizes
    if (first % this.groups !== 0)
      throw new LayoutError(`${first} channels are not ${this.groups} groups, for ${this.tag}`)
    return [this.groups, first / this.groups, ...rest]
  }

  /** Sizes of the logical axes, each rounded up to whole blocks. */
  paddedSizes(sizes: readonly number[]): number[] {
    return this.logicalSizes(sizes).map((size, axis) => {
      const block = this.blockOf(axis)
      return Math.ceil(size / block) * block
    })
  }

  /** Elements that a tensor takes, padding included. */
  storageLength(sizes: readonly number[]): number {
    return this.paddedSizes(sizes).reduce((product, size) => product * size, 1)
  }

  /** In elements: from one block of a logical axis to the next (from index to index where it is not blocked). */
  outerStrides(sizes: readonly number[]): number[] {
    const padded = this.paddedSizes(sizes)
    const strides = padded.map(() => 0)
    let stride = this.blocks.reduce((product, { size }) => product * size, 1)
    for (const axis of [...this.order].reverse()) {
      strides[axis] = stride
      stride *= Math.max((padded[axis] ?? 0) / this.blockOf(axis), 1)
    }
    return strides
  }

  /**
   * What the index of one logical axis adds to the offset of an element: offsets are sums over the axes.
   *
   * @param outer `outerStrides` of the tensor
   */
  offsetAlong(axis: number, index: number, outer: readonly number[]): number {
    let rest = index
    let offset = 0
    let stride = 1
    for (let i = this.blocks.length - 1; i >= 0; i--) {
      const block = this.blocks[i] as LayoutBlock
      if (block.axis === axis) {
        offset += (rest % block.size) * stride
        rest = Math.floor(rest / block.size)
      }
      stride *= block.size
    }
    return offset + rest * (outer[axis] ?? 0)
  }

  /** Elements in front of the one at an index of the logical axes. */
  offset(sizes: readonly number[], index: readonly number[]): number {
    const outer = this.outerStrides(sizes)
    return index.reduce((offset, at, axis) => offset + this.offsetAlong(axis, at, outer), 0)
  }

  /** Whether tensors lie alike; `aBcd16b` and `nChw16c` are the same. */
  equals(other: Layout): boolean {
    return (
      other.kind === 'blocked' &&
      this.groups === other.groups &&
      this.order.join() === other.order.join() &&
      blocksKey(this.blocks) === blocksKey(other.blocks)
    )
  }
}

/** Bytes that only one backend understands, such as a weight transformed for Winograd's convolution. */
export class OpaqueLayout {
  readonly kind = 'opaque'
  readonly backend: string
  /** For a person, and to tell layouts of one backend apart. */
  readonly name: string
  /** Of a tensor's storage. */
  readonly byteLength: number
  /** What the backend needs to read it. */
  readonly description?: Uint8Array

  constructor(backend: string, name: string, byteLength: number, description?: Uint8Array) {
    this.backend = backend
    this.name = name
    this.byteLength = byteLength
    if (description !== undefined) this.description = description
  }

  /** `onednn:wino_f4x3` */
  get tag(): string {
    return `${this.backend}:${this.name}`
  }

  equals(other: Layout): boolean {
    return (
      other.kind === 'opaque' &&
      this.tag === other.tag &&
      this.byteLength === other.byteLength &&
      sameBytes(this.description, other.description)
    )
  }
}

/** A layout by its axes' order and blocks, with the tag that the role gives it. Throws `LayoutError`. */
export function layoutOf(
  order: readonly number[],
  blocks: readonly LayoutBlock[],
  role: LayoutRole,
  groups?: number,
): BlockedLayout {
  return new BlockedLayout(order, blocks, role, groups)
}

/**
 * The layout that oneDNN calls `tag`: of an activation (letters n c d h w), a weight (o i d h w, with g in front where it
 * is grouped) or any tensor (a b c …).
 *
 * @param groups needed by tags with a `g`, and by no other
 * @throws LayoutError
 */
export function parseLayout(tag: string, groups?: number): BlockedLayout {
  const { order, blocks, role } = parseTag(tag)
  return new BlockedLayout(order, blocks, role, groups)
}

/**
 * In elements: the strides of a tensor that lies so, where strides can say it; undefined for blocks, and for groups that
 * are apart from their channels.
 *
 * @throws LayoutError when the sizes do not fit
 */
export function stridesOf(layout: BlockedLayout, sizes: readonly number[]): number[] | undefined {
  const strides = layout.outerStrides(sizes)
  if (layout.blocks.length > 0) return undefined
  if (layout.groups === undefined) return strides
  const [ofGroup = 0, ofChannel = 0, ...rest] = strides
  const channels = (sizes[0] ?? 0) / layout.groups
  if (channels === 1) return [ofGroup, ...rest]
  return layout.groups === 1 || ofGroup === channels * ofChannel ? [ofChannel, ...rest] : undefined
}

function checkGroups(tag: string, role: LayoutRole, groups: number | undefined): void {
  if ((role === 'grouped weight') !== (groups !== undefined))
    throw new LayoutError(
      groups === undefined ? `${tag} needs the number of groups` : `${tag} has no groups, not ${groups}`,
    )
  if (groups !== undefined && !(Number.isSafeInteger(groups) && groups >= 1))
    throw new LayoutError(`${groups} groups`)
}

function blocksKey(blocks: readonly LayoutBlock[]): string {
  return blocks.map(({ axis, size }) => `${size}.${axis}`).join()
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
