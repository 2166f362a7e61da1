import { PermafrostError } from '../errors.ts'
import { typedArrayOver, type DType, type TypedArray } from './dtype.ts'

/** Somebody asked for the elements of a tensor that has only a description. */
export class MetaStorageError extends PermafrostError {
  readonly code = 'meta-storage'
}

/**
 * A run of bytes that one or more tensors look at. A storage read from an archive is a view of the file's
 * bytes: nothing is copied unless the bytes lie at an address their element type cannot be read at.
 */
export class Storage {
  readonly byteLength: number
  /** Whether there are no bytes at all: tensors over it tell sizes, strides and dtype only, as on torch's `meta` device. */
  readonly isMeta: boolean
  /** CRC-32 of the bytes, where whoever wrote them told it. */
  readonly checksum: number | undefined
  #content: Uint8Array | (() => Uint8Array)
  #views: Map<DType, TypedArray> | undefined

  /**
   * @param content little-endian bytes, kept by reference; copied once if not aligned to 8 bytes. Or a
   * function that gives them when they are first needed, with their number and CRC-32 beforehand.
   */
  constructor(content: Uint8Array)
  constructor(content: () => Uint8Array, byteLength: number, checksum?: number)
  constructor(content: Uint8Array | (() => Uint8Array), byteLength?: number, checksum?: number) {
    this.checksum = checksum
    this.byteLength = byteLength ?? content.length
    this.isMeta = content === noBytes
    this.#content = typeof content === 'function' ? content : aligned(content)
  }

  static ofLength(byteLength: number): Storage {
    return new Storage(new Uint8Array(byteLength))
  }

  /** A storage without bytes; reading it throws `MetaStorageError`. */
  static meta(byteLength: number): Storage {
    return new Storage(noBytes, byteLength)
  }

  /** The same array at every access. May throw what reading a lazy storage throws (`ChecksumError`). */
  get bytes(): Uint8Array {
    if (typeof this.#content === 'function') this.#content = aligned(this.#content())
    return this.#content
  }

  /** The whole storage as elements of `dtype`. The same array is returned for every call. */
  as(dtype: DType): TypedArray {
    this.#views ??= new Map()
    let view = this.#views.get(dtype)
    if (view === undefined) {
      const bytes = this.bytes
      view = typedArrayOver(dtype, bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#views.set(dtype, view)
    }
    return view
  }
}

function noBytes(): never {
  throw new MetaStorageError('a tensor without elements was read')
}

function aligned(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Node Buffer copies nothing.
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
}
