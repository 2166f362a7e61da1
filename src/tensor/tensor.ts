import { bug, invariant } from '../errors.ts'
import { itemSize, type DType, type TypedArray } from './dtype.ts'
import { LayoutError } from './errors.ts'
import type { Layout } from './layout.ts'
import { Storage } from './storage.ts'

export interface PerTensorQuantizer {
  readonly scheme: 'per_tensor_affine'
  readonly scale: number
  readonly zeroPoint: number
}

export interface PerChannelQuantizer {
  readonly scheme: 'per_channel_affine' | 'per_channel_affine_float_qparams'
  /** One element per index of `axis`. */
  readonly scales: Tensor
  readonly zeroPoints: Tensor
  readonly axis: number
}

/** What the integers of a quantised tensor stand for. */
export type Quantizer = PerTensorQuantizer | PerChannelQuantizer

export interface TensorOptions {
  /** In elements; row-major when left out. */
  readonly strides?: readonly number[]
  /** In elements. */
  readonly storageOffset?: number
  readonly requiresGrad?: boolean
  readonly quantizer?: Quantizer | undefined
  /** How the elements lie when strides cannot say it; then strides and offset are left out. */
  readonly layout?: Layout | undefined
}

/** Product of the sizes: the number of elements. */
export function numelOf(sizes: readonly number[]): number {
  let n = 1
  for (const size of sizes) n *= size
  return n
}

/** Row-major strides in elements, as `torch.empty(sizes).stride()`: a size of 0 counts as 1. */
export function contiguousStrides(sizes: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (let i = sizes.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= Math.max(sizes[i] ?? 1, 1)
  }
  return strides
}

/**
 * A strided look at a `Storage`. Views share the storage of their base: writing through one shows in the other.
 * The description of a tensor never changes; only the storage's bytes do.
 *
 * A tensor with a `layout` has no strides: its storage holds exactly its elements as the layout places them, padding
 * included. Reading `strides` of it throws `LayoutError`, so that nobody takes its elements for strided ones;
 * `plainTensor` gives the same tensor strided.
 */
export class Tensor {
  readonly dtype: DType
  readonly sizes: readonly number[]
  /** In elements. */
  readonly strides: readonly number[]
  /** In elements. */
  readonly storageOffset: number
  readonly storage: Storage
  readonly requiresGrad: boolean
  readonly quantizer: Quantizer | undefined
  readonly layout: Layout | undefined
  readonly numel: number
  #contiguous: boolean | undefined

  constructor(storage: Storage, dtype: DType, sizes: readonly number[], options: TensorOptions = {}) {
    this.storage = storage
    this.dtype = dtype
    this.sizes = sizes
    this.strides = options.strides ?? contiguousStrides(sizes)
    this.storageOffset = options.storageOffset ?? 0
    this.requiresGrad = options.requiresGrad ?? false
    this.quantizer = options.quantizer
    this.layout = options.layout
    this.numel = numelOf(sizes)
    invariant(
      this.strides.length === sizes.length,
      `strides [${this.strides.join()}] of sizes [${sizes.join()}]`,
    )
    if (this.layout !== undefined) {
      this.#contiguous = false
      const get = (): never => refuseStrides(this)
      // Not enumerable, so that the other fields can still be spread.
      Object.defineProperty(this, 'strides', { get, enumerable: false })
    }
  }

  /** A new zero-filled row-major tensor. */
  static zeros(dtype: DType, sizes: readonly number[]): Tensor {
    return new Tensor(Storage.ofLength(numelOf(sizes) * itemSize(dtype)), dtype, sizes)
  }

  /** A row-major tensor with the given elements (numbers are converted to the dtype as typed arrays do). */
  static from(dtype: DType, sizes: readonly number[], elements: Iterable<number | bigint>): Tensor {
    const tensor = Tensor.zeros(dtype, sizes)
    const data = tensor.data
    let i = 0
    if (data instanceof BigInt64Array) for (const element of elements) data[i++] = BigInt(element)
    else for (const element of elements) data[i++] = Number(element)
    if (i !== tensor.numel) bug(`${i} elements for sizes [${sizes.join()}]`)
    return tensor
  }

  /** A tensor that only tells its dtype, sizes and strides; reading its elements throws `MetaStorageError`. */
  static meta(dtype: DType, sizes: readonly number[], strides?: readonly number[]): Tensor {
    const storage = Storage.meta(numelOf(sizes) * itemSize(dtype))
    return new Tensor(storage, dtype, sizes, strides && { strides })
  }

  get isMeta(): boolean {
    return this.storage.isMeta
  }

  get dim(): number {
    return this.sizes.length
  }

  /** All elements of the storage (not only this tensor's), as this tensor's dtype. */
  get data(): TypedArray {
    return this.storage.as(this.dtype)
  }

  get byteLength(): number {
    return this.numel * itemSize(this.dtype)
  }

  /** Whether the elements lie row-major without gaps (sizes of 1 may have any stride). */
  get isContiguous(): boolean {
    if (this.#contiguous === undefined) {
      let expected = 1
      let contiguous = true
      if (this.numel > 0)
        for (let i = this.dim - 1; i >= 0 && contiguous; i--) {
          const size = this.sizes[i] as number
          if (size !== 1) {
            contiguous = this.strides[i] === expected
            expected *= size
          }
        }
      this.#contiguous = contiguous
    }
    return this.#contiguous
  }

  /** Another look at the same storage. */
  asStrided(
    sizes: readonly number[],
    strides: readonly number[],
    storageOffset = this.storageOffset,
  ): Tensor {
    if (this.layout !== undefined) refuseStrides(this)
    return new Tensor(this.storage, this.dtype, sizes, {
      strides,
      storageOffset,
      requiresGrad: this.requiresGrad,
      ...(this.quantizer && { quantizer: this.quantizer }),
    })
  }

  /** The same tensor without `requires_grad`; shares the storage. */
  detach(): Tensor {
    return this.requiresGrad
      ? new Tensor(this.storage, this.dtype, this.sizes, { ...this, requiresGrad: false })
      : this
  }
}

function refuseStrides({ layout }: Tensor): never {
  const tag = layout?.tag ?? 'strided'
  throw new LayoutError(`a tensor that lies as ${tag} has no strides`, {}, 'convert it by plainTensor first')
}
