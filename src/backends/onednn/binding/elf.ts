const headerBytes = 64
const programHeaderBytes = 56
const magic = 0x7f454c46
const is64Bit = 2
const isLittleEndian = 1
const loaded = 1 // PT_LOAD

/** Bytes of a file from an offset on; fewer where it ends. */
export type FileReader = (offset: number, length: number) => Uint8Array

/**
 * Why a shared library of ELF's cannot be loaded: what is cut off makes the loader map pages that the file does not have,
 * and the first look at one of them ends the process (`SIGBUS`). What is no 64-bit ELF file is left to the loader.
 *
 * @param size of the file, in bytes
 */
export function faultOfElf(read: FileReader, size: number): string | undefined {
  const header = viewOf(read(0, headerBytes))
  if (!isElf64(header)) return undefined
  const [start, step, count] = [
    Number(header.getBigUint64(32, true)),
    header.getUint16(54, true),
    header.getUint16(56, true),
  ]
  const endOfHeaders = start + step * count
  if (endOfHeaders > size) return cutOff(size, endOfHeaders)
  for (let i = 0; i < count && step >= programHeaderBytes; i++) {
    const end = endOfSegment(viewOf(read(start + i * step, programHeaderBytes)))
    if (end > size) return cutOff(size, end)
  }
  return undefined
}

function isElf64(header: DataView): boolean {
  return (
    header.byteLength === headerBytes &&
    header.getUint32(0) === magic &&
    header.getUint8(4) === is64Bit &&
    header.getUint8(5) === isLittleEndian
  )
}

/** Where the bytes end that are loaded from the file. */
function endOfSegment(header: DataView): number {
  if (header.getUint32(0, true) !== loaded) return 0
  return Number(header.getBigUint64(8, true)) + Number(header.getBigUint64(32, true))
}

function cutOff(size: number, end: number): string {
  return `is cut off: it has ${size} bytes of at least ${end}`
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
