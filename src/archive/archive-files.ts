import { MissingEntryError } from './errors.ts'
import type { ArchiveLimits } from './limits.ts'
import { readPickle } from './pickle-reader.ts'
import type { PickleValue } from './pickle-values.ts'
import { SourceRangeTable } from './source-ranges.ts'
import type { ByteOrder } from './storage-table.ts'
import { decodeUtf8 } from './utf8.ts'
import type { ZipEntry } from './zip-reader.ts'

/** One file under `code/`. Text and ranges are decoded when first asked for. */
export interface CodeFile {
  /** Under `code/`, e.g. `__torch__/torch/nn/modules/conv.py`. */
  readonly path: string
  readonly byteLength: number
  /** Throws `ChecksumError`, `ZipFormatError`. */
  readonly text: string
  /** Where the text was compiled from; undefined when the archive was saved without. Throws as `readPickle`. */
  readonly sourceRanges: SourceRangeTable | undefined
}

/** What an archive is made of, however old its format. */
export interface ArchiveParts {
  readonly code: ReadonlyMap<string, CodeFile>
  data(): PickleValue
  constants(): readonly PickleValue[]
}

/** The files below the archive's top folder, and how to read them. */
export interface ArchiveFiles {
  readonly entries: ReadonlyMap<string, ZipEntry>
  readonly byteOrder: ByteOrder
  readonly limits: ArchiveLimits
}

/** A code file of the archive; `ranges` is its `.debug_pkl`. */
export class ArchiveCodeFile implements CodeFile {
  readonly path: string
  readonly byteLength: number
  readonly #source: ZipEntry
  readonly #ranges: ZipEntry | undefined
  readonly #limits: ArchiveLimits
  #text: string | undefined
  #table: SourceRangeTable | undefined

  constructor(path: string, source: ZipEntry, ranges: ZipEntry | undefined, limits: ArchiveLimits) {
    this.path = path
    this.byteLength = source.size
    this.#source = source
    this.#ranges = ranges
    this.#limits = limits
  }

  get text(): string {
    return (this.#text ??= decodeUtf8(this.#source.read()))
  }

  get sourceRanges(): SourceRangeTable | undefined {
    if (this.#ranges !== undefined && this.#table === undefined) {
      const entry = this.#ranges.name
      const value = readPickle(this.#ranges.read(), { entry, limits: this.#limits })
      this.#table = new SourceRangeTable(value, this.text, entry)
    }
    return this.#table
  }
}

/** Throws `MissingEntryError`. */
export function requireEntry(entries: ReadonlyMap<string, ZipEntry>, path: string): ZipEntry {
  const entry = entries.get(path)
  if (entry === undefined)
    throw new MissingEntryError(
      `the archive has no entry ${path}`,
      {},
      'The file is incomplete: save, copy or download it again.',
    )
  return entry
}
