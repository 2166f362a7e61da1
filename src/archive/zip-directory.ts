import { TruncatedArchiveError, UnsupportedArchiveError, ZipFormatError } from './errors.ts'
import { decodeUtf8 } from './utf8.ts'
import { flags, max16, max32, signatures, sizes, zip64ExtraId } from './zip-format.ts'

/** What the central directory says of one entry. */
export interface ZipRecord {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc32: number
  readonly compressedSize: number
  readonly size: number
  readonly headerOffset: number
}

interface DirectoryLocation {
  readonly count: number
  readonly offset: number
  readonly size: number
  /** Offset of the record behind the directory. */
  readonly end: number
}

const truncatedAdvice =
  'The file may be cut off: compare its size with the original, or save or download it again.'

/**
 * The central directory of a zip file, after APPNOTE.TXT 6.3.10 with zip64.
 * Throws `TruncatedArchiveError` and `ZipFormatError` for a directory that is not all there, and
 * `UnsupportedArchiveError` for archives in several parts.
 */
export function readDirectory(file: Uint8Array, maxEntries: number): ZipRecord[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const location = locateDirectory(view)
  const { count, offset, size, end } = location
  if (offset + size > end)
    throw new ZipFormatError(
      `the zip directory of ${size} bytes at byte ${offset} reaches past its end record at byte ${end}`,
      { offset: end },
      truncatedAdvice,
    )
  if (count > maxEntries || count * sizes.centralHeader > size)
    throw new ZipFormatError(`a zip directory of ${size} bytes cannot hold ${count} entries`, { offset: end })
  return readRecords(file, view, location)
}

function readRecords(
  file: Uint8Array,
  view: DataView,
  { count, offset, size }: DirectoryLocation,
): ZipRecord[] {
  const records: ZipRecord[] = []
  const end = offset + size
  let at = offset
  for (let i = 0; i < count; i++) {
    if (at + sizes.centralHeader > end || view.getUint32(at, true) !== signatures.centralHeader)
      throw new ZipFormatError(
        `the zip directory holds no entry ${i + 1} of ${count} where it should`,
        { offset: at },
        truncatedAdvice,
      )
    const next = at + recordSize(view, at)
    if (next > end)
      throw new ZipFormatError('a zip directory entry reaches past the directory', { offset: at })
    records.push(readRecord(file, view, at))
    at = next
  }
  if (at !== end)
    throw new ZipFormatError(`${end - at} bytes are left over behind the last zip directory entry`, {
      offset: at,
    })
  return records
}

function recordSize(view: DataView, at: number): number {
  const variable =
    view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  return sizes.centralHeader + variable
}

function readRecord(file: Uint8Array, view: DataView, at: number): ZipRecord {
  const nameEnd = at + sizes.centralHeader + view.getUint16(at + 28, true)
  const name = decodeUtf8(file.subarray(at + sizes.centralHeader, nameEnd))
  const entryFlags = view.getUint16(at + 8, true)
  if (entryFlags & flags.encrypted)
    throw new UnsupportedArchiveError(`the zip entry ${name} is encrypted`, {}, 'Decrypt the file first.')
  if (view.getUint16(at + 34, true) !== 0) throw severalParts()
  const wide = zip64Fields(view, nameEnd, view.getUint16(at + 30, true), name)
  const widened = (offset: number): number => {
    const value = view.getUint32(at + offset, true)
    return value === max32 ? wide() : value
  }
  const size = widened(24)
  const compressedSize = widened(20)
  const headerOffset = widened(42)
  const method = view.getUint16(at + 10, true)
  return {
    name,
    flags: entryFlags,
    method,
    crc32: view.getUint32(at + 16, true),
    compressedSize,
    size,
    headerOffset,
  }
}

/** Gives the 64-bit values of an entry's zip64 extra field one after another, in the order they are stored. */
function zip64Fields(view: DataView, start: number, length: number, name: string): () => number {
  let at = start
  let end = start
  return () => {
    if (end === start) ({ at, end } = findExtra(view, start, length))
    if (at + 8 > end)
      throw new ZipFormatError(`the zip64 field of ${name} is missing or too short`, { offset: start })
    at += 8
    return readUint64(view, at - 8)
  }
}

function findExtra(view: DataView, start: number, length: number): { at: number; end: number } {
  const limit = start + length
  for (let at = start; at + 4 <= limit;) {
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), limit)
    if (view.getUint16(at, true) === zip64ExtraId) return { at: at + 4, end }
    at = end
  }
  return { at: limit, end: limit }
}

function locateDirectory(view: DataView): DirectoryLocation {
  const at = findEndRecord(view)
  if (view.getUint16(at + 4, true) !== 0 && view.getUint16(at + 4, true) !== max16) throw severalParts()
  const count = view.getUint16(at + 10, true)
  const size = view.getUint32(at + 12, true)
  const offset = view.getUint32(at + 16, true)
  const wide = locateZip64(view, at)
  if (wide !== undefined) {
    const agrees = (narrow: number, value: number, max: number) => narrow === max || narrow === value
    if (
      agrees(count, wide.count, max16) &&
      agrees(size, wide.size, max32) &&
      agrees(offset, wide.offset, max32)
    )
      return wide
    throw new ZipFormatError('the two end records of the zip directory contradict each other', { offset: at })
  }
  if (offset === max32 || size === max32)
    throw new ZipFormatError('the zip64 end record is missing', { offset: at }, truncatedAdvice)
  return { count, offset, size, end: at }
}

/** The record may be followed by a comment of up to 65535 bytes; miniz lets anything follow, and so do we. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - sizes.endOfDirectory
  for (let at = last; at >= Math.max(0, last - max16); at--) {
    if (view.getUint32(at, true) !== signatures.endOfDirectory) continue
    if (at + sizes.endOfDirectory + view.getUint16(at + 20, true) <= view.byteLength) return at
  }
  throw new TruncatedArchiveError(
    'the file begins as a zip archive, but the directory at its end is missing',
    { offset: view.byteLength },
    truncatedAdvice,
  )
}

function locateZip64(view: DataView, endRecord: number): DirectoryLocation | undefined {
  const locator = endRecord - sizes.zip64Locator
  if (locator < 0 || view.getUint32(locator, true) !== signatures.zip64Locator) return undefined
  const at = readUint64(view, locator + 8)
  if (at + sizes.zip64EndOfDirectory > locator || view.getUint32(at, true) !== signatures.zip64EndOfDirectory)
    throw new ZipFormatError(
      `the zip64 end record is not at byte ${at}`,
      { offset: locator },
      truncatedAdvice,
    )
  const count = readUint64(view, at + 32)
  return { count, size: readUint64(view, at + 40), offset: readUint64(view, at + 48), end: at }
}

function readUint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true))
  if (!Number.isSafeInteger(value))
    throw new ZipFormatError(`a size of ${value} bytes is impossible`, { offset: at })
  return value
}

function severalParts(): UnsupportedArchiveError {
  return new UnsupportedArchiveError(
    'the zip archive is split into several files',
    {},
    'Join its parts first.',
  )
}
