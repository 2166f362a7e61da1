import { crc32 } from './crc32.ts'
import {
  ArchiveLimitError,
  ChecksumError,
  EntryNameError,
  TruncatedArchiveError,
  UnsupportedArchiveError,
  ZipFormatError,
} from './errors.ts'
import { inflate, maxDeflateFactor } from './inflate.ts'
import { defaultLimits, type ArchiveLimits } from './limits.ts'
import { decodeUtf8 } from './utf8.ts'
import { readDirectory, type ZipRecord } from './zip-directory.ts'
import { flags, methods, signatures, sizes } from './zip-format.ts'
import { nameFault } from './zip-names.ts'

/** A file of a zip archive. Its content is checked against its CRC-32 when it is first read. */
export class ZipEntry {
  readonly name: string
  /** In bytes, uncompressed. */
  readonly size: number
  readonly #record: ZipRecord
  /** As it lies in the archive: a view, no copy. */
  readonly #stored: Uint8Array
  #content: Uint8Array | undefined

  constructor(record: ZipRecord, stored: Uint8Array) {
    this.name = record.name
    this.size = record.size
    this.#record = record
    this.#stored = stored
  }

  /** What the directory says that the content's CRC-32 is. */
  get crc32(): number {
    return this.#record.crc32
  }

  /**
   * The content: a view of the archive's bytes where the entry is stored, else a new array that the caller
   * should keep. Throws `ChecksumError`, `ZipFormatError`.
   */
  read(): Uint8Array {
    if (this.#content !== undefined) return this.#content
    const { method, crc32: expected } = this.#record
    const content = method === methods.stored ? this.#stored : inflate(this.#stored, this.size, this.name)
    const found = crc32(content)
    if (found !== expected)
      throw new ChecksumError(
        `the content has the checksum ${hex(found)} instead of ${hex(expected)}`,
        { entry: this.name },
        'The file is damaged: save, copy or download it again.',
      )
    if (method === methods.stored) this.#content = content
    return content
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

/**
 * The files of a zip archive by name, in the order of its directory; directories are left out.
 * Only headers are read. They must agree with the directory, lie in the file and not overlap, and names must
 * be plain relative paths, each once; otherwise `ZipFormatError` and its subclasses are thrown.
 * `ArchiveLimitError` is thrown where entries declare to inflate to more than `limits` allow.
 */
export function readZip(file: Uint8Array, limits: ArchiveLimits = defaultLimits): Map<string, ZipEntry> {
  const records = readDirectory(file, limits.entries)
  checkInflatedSize(records, limits)
  const entries = new Map<string, ZipEntry>()
  const spans: Span[] = []
  for (const record of records) {
    checkName(record.name)
    if (entries.has(record.name)) throw new EntryNameError(`two zip entries have the name ${record.name}`)
    const start = dataStart(file, record)
    const end = start + record.compressedSize
    spans.push({ name: record.name, start: record.headerOffset, end })
    if (!record.name.endsWith('/')) entries.set(record.name, new ZipEntry(record, file.subarray(start, end)))
  }
  checkOverlap(spans)
  return entries
}

interface Span {
  readonly name: string
  readonly start: number
  readonly end: number
}

function checkOverlap(spans: Span[]): void {
  spans.sort((a, b) => a.start - b.start)
  let previous: Span | undefined
  for (const span of spans) {
    if (previous !== undefined && span.start < previous.end)
      throw new ZipFormatError(`the zip entries ${previous.name} and ${span.name} overlap`, {
        offset: span.start,
      })
    previous = span
  }
}

function checkName(name: string): void {
  const fault = nameFault(name)
  if (fault !== undefined)
    throw new EntryNameError(
      `the zip entry name ${JSON.stringify(name)} ${fault}`,
      {},
      'Do not trust this file.',
    )
}

/** The offset of the entry's data, from its local header, which must agree with the directory. */
function dataStart(file: Uint8Array, record: ZipRecord): number {
  const { name, headerOffset: at } = record
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (at + sizes.localHeader > file.length) throw pastEnd(name, at)
  const contradiction = (what: string): ZipFormatError =>
    new ZipFormatError(`the zip entry's own header ${what}`, { entry: name, offset: at })
  if (view.getUint32(at, true) !== signatures.localHeader)
    throw contradiction('is not where the directory says')
  const nameEnd = at + sizes.localHeader + view.getUint16(at + 26, true)
  const start = nameEnd + view.getUint16(at + 28, true)
  if (start + record.compressedSize > file.length) throw pastEnd(name, at)
  const ownName = decodeUtf8(file.subarray(at + sizes.localHeader, nameEnd))
  if (ownName !== name) throw contradiction(`says it is ${JSON.stringify(ownName)}`)
  if (view.getUint16(at + 8, true) !== record.method) throw contradiction('names another compression method')
  if (!(view.getUint16(at + 6, true) & flags.dataDescriptor)) checkOwnSizes(view, at, record, contradiction)
  return start
}

function checkOwnSizes(
  view: DataView,
  at: number,
  record: ZipRecord,
  contradiction: (what: string) => ZipFormatError,
): void {
  const agrees = (own: number, value: number) => own === value || own === 0xffffffff
  if (
    !agrees(view.getUint32(at + 18, true), record.compressedSize) ||
    !agrees(view.getUint32(at + 22, true), record.size)
  )
    throw contradiction('states another size')
  if (view.getUint32(at + 14, true) !== record.crc32) throw contradiction('states another checksum')
}

function pastEnd(entry: string, offset: number): TruncatedArchiveError {
  return new TruncatedArchiveError(
    'the zip entry reaches past the end of the file',
    { entry, offset },
    'The file may be cut off: save, copy or download it again.',
  )
}

function checkInflatedSize(records: readonly ZipRecord[], limits: ArchiveLimits): void {
  let total = 0
  for (const { name, method, size, compressedSize } of records) {
    if (method === methods.stored) {
      if (size !== compressedSize)
        throw new ZipFormatError(`a stored entry of ${compressedSize} bytes declares ${size}`, {
          entry: name,
        })
      continue
    }
    if (method !== methods.deflated)
      throw new UnsupportedArchiveError(`the zip compression method ${method} is unknown`, { entry: name })
    total += size
    const factor = size > limits.freelyInflatedBytes ? limits.inflationFactor : maxDeflateFactor
    if (size > compressedSize * factor || total > limits.inflatedBytes)
      throw new ArchiveLimitError(
        `the zip entry of ${compressedSize} bytes declares to inflate to ${size} bytes (a zip bomb?)`,
        { entry: name },
        'If you trust the file, raise the limits, or save it again without compression.',
      )
  }
}
