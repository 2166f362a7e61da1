import { ByteWriter } from './byte-writer.ts'
import { crc32 } from './crc32.ts'
import { encodeUtf8 } from './utf8.ts'
import { flags, max16, max32, methods, signatures, sizes, zip64ExtraId } from './zip-format.ts'

export interface ZipInput {
  readonly name: string
  /** Content in one piece or several; written as it is, by reference. */
  readonly data: Uint8Array | readonly Uint8Array[]
  /** The content's CRC-32 if it is known; else it is computed. */
  readonly crc32?: number
}

interface Written {
  readonly name: Uint8Array
  readonly size: number
  readonly crc32: number
  readonly headerOffset: number
}

/** Data begins at multiples of this, so that it can be mapped into memory and read as any element type. */
const alignment = 64
/** Fills the space in front of the data: an extra field of this id, full of Z. */
const paddingId = 0x4246
const paddingByte = 0x5a
const madeByUnix = 0x031e
const zip64Version = 45

/**
 * The chunks of a zip file with the given entries in their order, all stored, as `PyTorchStreamWriter` lays them
 * out (caffe2/serialize/inline_container.cc and its miniz): data aligned to 64 bytes by an extra field, sizes and
 * checksum behind the data, zip64 records where a size or offset needs 64 bits, zip64 end records always, no
 * dates. The same entries give the same bytes. Names must differ; contents are not copied.
 */
export function writeZip(entries: Iterable<ZipInput>): Uint8Array[] {
  const chunks: Uint8Array[] = []
  const written: Written[] = []
  let offset = 0
  const emit = (chunk: Uint8Array): void => {
    if (chunk.length > 0) chunks.push(chunk)
    offset += chunk.length
  }
  for (const entry of entries) {
    const data = entry.data instanceof Uint8Array ? [entry.data] : entry.data
    const size = data.reduce((total, piece) => total + piece.length, 0)
    const name = encodeUtf8(entry.name)
    const checksum = entry.crc32 ?? data.reduce((crc, piece) => crc32(piece, crc), 0)
    const record: Written = { name, size, crc32: checksum, headerOffset: offset }
    written.push(record)
    emit(localHeader(record))
    data.forEach(emit)
    if (size > 0) emit(dataDescriptor(record))
  }
  emit(directory(written, offset))
  return chunks
}

/** The sizes and the offset, each where it does not fit into 32 bits. */
function wideFields({ size, headerOffset }: Written): number[] {
  const wide = size >= max32 ? [size, size] : []
  return headerOffset >= max32 ? [...wide, headerOffset] : wide
}

function writeWideFields(out: ByteWriter, fields: readonly number[]): void {
  if (fields.length === 0) return
  out.uint16(zip64ExtraId)
  out.uint16(8 * fields.length)
  for (const field of fields) out.uint64(field)
}

function localHeader(record: Written): Uint8Array {
  const out = new ByteWriter()
  const wide = wideFields(record)
  const wideLength = wide.length === 0 ? 0 : 4 + 8 * wide.length
  const unpadded = record.headerOffset + sizes.localHeader + record.name.length + wideLength + 4
  const padding = (alignment - (unpadded % alignment)) % alignment
  out.uint32(signatures.localHeader)
  out.uint16(0)
  writeFlags(out, record)
  out.fill(0, 16)
  out.uint16(record.name.length)
  out.uint16(wideLength + 4 + padding)
  out.append(record.name)
  writeWideFields(out, wide)
  out.uint16(paddingId)
  out.uint16(padding)
  out.fill(paddingByte, padding)
  return out.bytes
}

/** Flags, method and the zero date, which both headers have. */
function writeFlags(out: ByteWriter, { size }: Written): void {
  out.uint16(flags.utf8 | (size > 0 ? flags.dataDescriptor : 0))
  out.uint16(methods.stored)
}

function dataDescriptor(record: Written): Uint8Array {
  const out = new ByteWriter()
  const isWide = wideFields(record).length > 0
  out.uint32(signatures.dataDescriptor)
  out.uint32(record.crc32)
  for (let i = 0; i < 2; i++)
    if (isWide) out.uint64(record.size)
    else out.uint32(record.size)
  return out.bytes
}

function directory(entries: readonly Written[], offset: number): Uint8Array {
  const out = new ByteWriter()
  for (const entry of entries) writeCentralHeader(out, entry)
  const size = out.length
  writeZip64End(out, entries.length, size, offset)
  out.uint32(signatures.endOfDirectory)
  out.uint32(0)
  out.uint16(Math.min(entries.length, max16))
  out.uint16(Math.min(entries.length, max16))
  out.uint32(Math.min(size, max32))
  out.uint32(Math.min(offset, max32))
  out.uint16(0)
  return out.bytes
}

function writeCentralHeader(out: ByteWriter, entry: Written): void {
  const wide = wideFields(entry)
  out.uint32(signatures.centralHeader)
  out.uint32(0)
  writeFlags(out, entry)
  out.uint32(0)
  out.uint32(entry.crc32)
  out.uint32(Math.min(entry.size, max32))
  out.uint32(Math.min(entry.size, max32))
  out.uint16(entry.name.length)
  out.uint16(wide.length === 0 ? 0 : 4 + 8 * wide.length)
  out.fill(0, 10)
  out.uint32(Math.min(entry.headerOffset, max32))
  out.append(entry.name)
  writeWideFields(out, wide)
}

function writeZip64End(out: ByteWriter, count: number, size: number, offset: number): void {
  out.uint32(signatures.zip64EndOfDirectory)
  out.uint64(sizes.zip64EndOfDirectory - 12)
  out.uint16(madeByUnix)
  out.uint16(zip64Version)
  out.uint64(0)
  out.uint64(count)
  out.uint64(count)
  out.uint64(size)
  out.uint64(offset)
  out.uint32(signatures.zip64Locator)
  out.uint32(0)
  out.uint64(offset + size)
  out.uint32(1)
}
