import { itemSize, dtypes, type DType } from '../tensor/dtype.ts'
import { Storage } from '../tensor/storage.ts'
import type { StorageId } from './pickle-machine.ts'
import { MissingEntryError } from './errors.ts'
import type { ZipEntry } from './zip-reader.ts'

export type ByteOrder = 'little' | 'big'

/** Gives the storages of one pickle: each key always the same `Storage`, its bytes read when first needed. */
export class StorageTable {
  readonly #entries: (key: string) => ZipEntry | undefined
  readonly #byteOrder: ByteOrder
  readonly #storages = new Map<string, Storage>()

  constructor(entries: (key: string) => ZipEntry | undefined, byteOrder: ByteOrder) {
    this.#entries = entries
    this.#byteOrder = byteOrder
  }

  /** Throws `MissingEntryError`. */
  get({ key, dtype }: Pick<StorageId, 'key' | 'dtype'>): Storage {
    let storage = this.#storages.get(key)
    if (storage === undefined) {
      const entry = this.#entries(key)
      if (entry === undefined)
        throw new MissingEntryError(
          `the bytes of the storage ${JSON.stringify(key)} are not in the archive`,
          {},
          'The file is incomplete: save, copy or download it again.',
        )
      const swap = this.#byteOrder === 'big' ? (bytes: Uint8Array) => swapBytes(bytes, dtype) : undefined
      storage = swap
        ? new Storage(() => swap(entry.read()), entry.size)
        : new Storage(() => entry.read(), entry.size, entry.crc32)
      this.#storages.set(key, storage)
    }
    return storage
  }
}

/** The other byte order; a complex number's two parts are turned each by itself. */
function swapBytes(bytes: Uint8Array, dtype: DType): Uint8Array {
  const width = dtypes[dtype].category === 'complex' ? itemSize(dtype) / 2 : itemSize(dtype)
  const swapped = new Uint8Array(bytes)
  for (let at = 0; at + width <= swapped.length; at += width) swapped.subarray(at, at + width).reverse()
  return swapped
}
