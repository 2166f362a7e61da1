import { typedArrayOver, type DType, type TypedArray } from './dtype.ts'

/**
 * A run of bytes that one or more tensors look at. A storage read from an archive is a view of the file's
 * bytes: nothing is copied unless the bytes lie at an address their element type cannot be read at.
 */
export class Storage {
  readonly bytes: Uint8Array
  #views: Map<DType, TypedArray> | undefined

  /** @param bytes little-endian content; kept by reference. Copied once if not aligned to 8 bytes. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  }

  static ofLength(byteLength: number): Storage {
    return new Storage(new Uint8Array(byteLength))
  }

  get byteLength(): number {
    return this.bytes.byteLength
  }

  /** The whole storage as elements of `dtype`. The same array is returned for every call. */
  as(dtype: DType): TypedArray {
    this.#views ??= new Map()
    let view = this.#views.get(dtype)
    if (view === undefined) {
      view = typedArrayOver(dtype, this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
      this.#views.set(dtype, view)
    }
    return view
  }
}
