import {
  ArchiveCodeFile,
  requireEntry,
  type ArchiveFiles,
  type ArchiveParts,
  type CodeFile,
} from './archive-files.ts'
import { PickleError, UnsupportedArchiveError } from './errors.ts'
import { foreignFile, foreignZip } from './formats.ts'
import { readLegacyParts } from './legacy-archive.ts'
import { defaultLimits, type ArchiveLimits } from './limits.ts'
import { readPickle } from './pickle-reader.ts'
import { PickleTuple, type PickleValue } from './pickle-values.ts'
import type { SourceRangeTable } from './source-ranges.ts'
import { StorageTable, type ByteOrder } from './storage-table.ts'
import { decodeUtf8 } from './utf8.ts'
import { readZip, type ZipEntry } from './zip-reader.ts'

/** One file under `extra/`. */
export interface ExtraFile {
  readonly path: string
  readonly byteLength: number
  /** Throws `ChecksumError`, `ZipFormatError`. */
  readonly bytes: Uint8Array
}

/** A TorchScript archive: the parts of the zip, still as pickles and texts, nothing compiled. */
export interface Archive {
  /** The top folder's name; libtorch takes the file's base name. */
  readonly name: string
  /** The file format version (caffe2/serialize/versions.h), 1 to 10 so far. */
  readonly version: number
  /** Keyed by `CodeFile.path`, in the order of the archive. */
  readonly code: ReadonlyMap<string, CodeFile>
  /** The root module: `data.pkl`, read at the first access. Throws as `readPickle`. */
  readonly data: PickleValue
  /** `CONSTANTS.c0`, `CONSTANTS.c1`, … of the code: `constants.pkl`, read at the first access. */
  readonly constants: readonly PickleValue[]
  /** Keyed by `ExtraFile.path`. */
  readonly extra: ReadonlyMap<string, ExtraFile>
  /** Size of the whole file. */
  readonly byteLength: number
  sourceRanges(path: string): SourceRangeTable | undefined
}

export interface ReadOptions {
  readonly limits?: Partial<ArchiveLimits>
}

const zipStart = [0x50, 0x4b]
const newestVersion = 10

/**
 * Opens a TorchScript archive as libtorch 1.0 to 2.x writes it. Only headers are read now; code, pickles and
 * storages are read, and checked against their checksums, when first asked for. Storages are views of `bytes`,
 * which must not change.
 *
 * Throws `NotTorchScriptError` with the `format` of anything else, `ZipFormatError` and its subclasses for
 * damage, `ArchiveLimitError` for zip bombs, `MissingEntryError`, and `UnsupportedArchiveError` for versions
 * of the future.
 */
export function readArchive(bytes: Uint8Array, options: ReadOptions = {}): Archive {
  // Slices of Node's Buffer, a subclass, are slow to make.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!zipStart.every((byte, i) => file[i] === byte)) throw foreignFile(file)
  const limits = { ...defaultLimits, ...options.limits }
  const all = readZip(file, limits)
  const name = topFolder([...all.keys()])
  const entries = new Map<string, ZipEntry>()
  for (const [path, entry] of all)
    if (path.startsWith(`${name}/`)) entries.set(path.slice(name.length + 1), entry)
  const files = { entries, limits, byteOrder: readByteOrder(entries.get('byteorder')) }
  const isLegacy = entries.has('model.json')
  if (!isLegacy && ![...entries.keys()].some((path) => path.startsWith('code/')))
    throw foreignZip([...all.keys(), ...entries.keys()])
  const version = readVersion(entries)
  return new LazyArchive(
    name,
    version,
    files,
    isLegacy ? readLegacyParts(files) : readParts(files),
    file.length,
  )
}

class LazyArchive implements Archive {
  readonly name: string
  readonly version: number
  readonly code: ReadonlyMap<string, CodeFile>
  readonly extra: ReadonlyMap<string, ExtraFile>
  readonly byteLength: number
  readonly #parts: ArchiveParts
  #data: PickleValue | undefined
  #constants: readonly PickleValue[] | undefined

  constructor(name: string, version: number, files: ArchiveFiles, parts: ArchiveParts, byteLength: number) {
    this.name = name
    this.version = version
    this.code = parts.code
    this.extra = readExtra(files.entries)
    this.byteLength = byteLength
    this.#parts = parts
  }

  get data(): PickleValue {
    return (this.#data ??= this.#parts.data())
  }

  get constants(): readonly PickleValue[] {
    return (this.#constants ??= this.#parts.constants())
  }

  sourceRanges(path: string): SourceRangeTable | undefined {
    return this.code.get(path)?.sourceRanges
  }
}

function readParts(files: ArchiveFiles): ArchiveParts {
  const { entries, limits } = files
  const code = new Map<string, CodeFile>()
  for (const [path, entry] of entries) {
    if (!path.startsWith('code/') || !path.endsWith('.py')) continue
    const file = new ArchiveCodeFile(
      path.slice('code/'.length),
      entry,
      entries.get(`${path}.debug_pkl`),
      limits,
    )
    code.set(file.path, file)
  }
  requireEntry(entries, 'data.pkl')
  requireEntry(entries, 'constants.pkl')
  return {
    code,
    data: () => readArchivePickle(files, 'data'),
    constants: () => {
      const constants = readArchivePickle(files, 'constants')
      if (constants instanceof PickleTuple) return constants.items
      throw new PickleError('the constants are no tuple', { entry: 'constants.pkl' })
    },
  }
}

/** `<name>.pkl` with its storages in `<name>/`. */
function readArchivePickle(files: ArchiveFiles, name: string): PickleValue {
  const entry = `${name}.pkl`
  const storages = new StorageTable((key) => files.entries.get(`${name}/${key}`), files.byteOrder)
  const storage = storages.get.bind(storages)
  return readPickle(requireEntry(files.entries, entry).read(), { entry, limits: files.limits, storage })
}

/** That of the data where there is any; libtorch takes the first entry's. */
function topFolder(paths: readonly string[]): string {
  const known = paths.find((path) => /^[^/]+\/(data\.pkl|model\.json)$/.test(path))
  return (known ?? paths.find((path) => path.includes('/')) ?? '').split('/')[0] ?? ''
}

function readExtra(entries: ReadonlyMap<string, ZipEntry>): ReadonlyMap<string, ExtraFile> {
  const extra = new Map<string, ExtraFile>()
  for (const [name, entry] of entries) {
    if (!name.startsWith('extra/')) continue
    const path = name.slice('extra/'.length)
    let bytes: Uint8Array | undefined
    extra.set(path, {
      path,
      byteLength: entry.size,
      get bytes() {
        return (bytes ??= entry.read())
      },
    })
  }
  return extra
}

function readByteOrder(entry: ZipEntry | undefined): ByteOrder {
  const order = entry === undefined ? 'little' : decodeUtf8(entry.read())
  if (order === 'little' || order === 'big') return order
  throw new UnsupportedArchiveError(`the byte order ${JSON.stringify(order)} is unknown`, {
    entry: 'byteorder',
  })
}

function readVersion(entries: ReadonlyMap<string, ZipEntry>): number {
  const entry = entries.get('.data/version') ?? requireEntry(entries, 'version')
  const text = decodeUtf8(entry.read()).trim()
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    throw new UnsupportedArchiveError(`${JSON.stringify(text)} is no file format version`, {
      entry: entry.name,
    })
  if (Number(text) > newestVersion)
    throw new UnsupportedArchiveError(
      `the file format version ${text} is newer than ${newestVersion}, the newest known`,
      { entry: entry.name },
      'Look for a newer release of permafrost, or save the model with an older PyTorch.',
    )
  return Number(text)
}
