import { Inflate, inflateSync } from 'fflate'
import { ZipFormatError } from './errors.ts'

/** Deflate cannot make more than about 1032 bytes of one (258 bytes from two bits, RFC 1951). */
export const maxDeflateFactor = 1032

/** Even if it is all bomb, this much inflates to some 64 MiB that are not kept, in a fraction of a second. */
const atOnce = 1 << 16
const chunkSize = 1 << 15

/**
 * Inflates raw deflate data (RFC 1951) that must give exactly `size` bytes. Takes at most `size` bytes and one
 * chunk's worth of memory, and stops when there is more, whatever the data holds. Throws `ZipFormatError`.
 */
export function inflate(compressed: Uint8Array, size: number, entry: string): Uint8Array {
  let output: Uint8Array
  try {
    output =
      compressed.length <= atOnce ? inflateAtOnce(compressed, size) : inflateByChunks(compressed, size, entry)
  } catch (error) {
    if (error instanceof ZipFormatError) throw error
    throw new ZipFormatError('the compressed data is damaged', { entry }, '', { cause: error })
  }
  if (output.length === size) return output
  throw new ZipFormatError(`the compressed data does not give the declared ${size} bytes`, { entry })
}

/** The one byte too much tells data that gives more than `size`: what does not fit is dropped. */
function inflateAtOnce(compressed: Uint8Array, size: number): Uint8Array {
  return inflateSync(compressed, { out: new Uint8Array(size + 1) })
}

function inflateByChunks(compressed: Uint8Array, size: number, entry: string): Uint8Array {
  const output = new Uint8Array(size)
  let length = 0
  const stream = new Inflate((chunk) => {
    if (length + chunk.length > size)
      throw new ZipFormatError(`the compressed data gives more than the declared ${size} bytes`, { entry })
    output.set(chunk, length)
    length += chunk.length
  })
  for (let at = 0; at < compressed.length; at += chunkSize) {
    const end = Math.min(at + chunkSize, compressed.length)
    stream.push(compressed.subarray(at, end), end === compressed.length)
  }
  return output.subarray(0, length)
}
