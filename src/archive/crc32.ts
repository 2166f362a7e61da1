const slices = 8
const table = makeTable()

/** `table[256 * k + b]`: the CRC of byte `b` followed by `k` zero bytes. */
function makeTable(): Int32Array {
  const entries = new Int32Array(256 * slices)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    entries[byte] = crc
  }
  for (let i = 256; i < entries.length; i++) {
    const shorter = entries[i - 256] ?? 0
    entries[i] = (entries[shorter & 255] ?? 0) ^ (shorter >>> 8)
  }
  return entries
}

function updateBytewise(crc: number, bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) crc = at((crc ^ (bytes[i] as number)) & 255) ^ (crc >>> 8)
  return crc
}

function at(index: number): number {
  return table[index] as number
}

/**
 * The CRC-32 of zip (polynomial 0xedb88320), eight bytes at a time after Kounavis and Berry,
 * "A Systematic Approach to Building High Performance Software-based CRC Generators" (2005).
 * @param previous the CRC of the bytes before, to continue it
 * @returns an unsigned 32-bit number
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const length = bytes.length
  if (length < 16) return ~updateBytewise(~previous, bytes, 0, length) >>> 0
  const head = -bytes.byteOffset & 3
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (length - head) >>> 2)
  const paired = words.length & ~1
  let crc = updateBytewise(~previous, bytes, 0, head)
  for (let i = 0; i < paired; i += 2) {
    const low = (words[i] as number) ^ crc
    const high = words[i + 1] as number
    crc =
      at(1792 + (low & 255)) ^
      at(1536 + ((low >>> 8) & 255)) ^
      at(1280 + ((low >>> 16) & 255)) ^
      at(1024 + (low >>> 24)) ^
      at(768 + (high & 255)) ^
      at(512 + ((high >>> 8) & 255)) ^
      at(256 + ((high >>> 16) & 255)) ^
      at(high >>> 24)
  }
  return ~updateBytewise(crc, bytes, head + 4 * paired, length) >>> 0
}
