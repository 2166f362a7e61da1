import { concatBytes } from './bytes.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const shortLength = 48
const loneSurrogate = /\p{Surrogate}/u

/**
 * The text of UTF-8 bytes. C++ strings may hold anything; a byte that is no UTF-8 becomes the lone surrogate
 * U+DC00 + byte, as with Python's `surrogateescape` (PEP 383), so that `encodeUtf8` gives the same bytes back.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const ascii = bytes.length <= shortLength ? decodeAscii(bytes) : undefined
  if (ascii !== undefined) return ascii
  try {
    return decoder.decode(bytes)
  } catch {
    return decodeEscaping(bytes)
  }
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return loneSurrogate.test(text) ? encodeEscaped(text) : encoder.encode(text)
}

/** Whether the bytes are UTF-8 throughout. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Short names are most of a pickle, and the decoder's call costs more than they do. */
function decodeAscii(bytes: Uint8Array): string | undefined {
  let text = ''
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeEscaping(bytes: Uint8Array): string {
  const parts: string[] = []
  let good = 0
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i)
    if (length > 0) {
      i += length
      continue
    }
    if (good < i) parts.push(decoder.decode(bytes.subarray(good, i)))
    parts.push(String.fromCharCode(0xdc00 + (bytes[i] ?? 0)))
    good = ++i
  }
  parts.push(decoder.decode(bytes.subarray(good)))
  return parts.join('')
}

/** Bytes of the well-formed sequence at `at` (Unicode 15, table 3-7), or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  const length = leadLength(lead)
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0
  const [least, most] = secondByteBounds[lead] ?? [0x80, 0xbf]
  const second = bytes[at + 1] ?? 0
  return length > 1 && (second < least || second > most) ? 0 : length
}

function leadLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** By the lead byte: against overlong forms, surrogates and what lies beyond U+10FFFF. */
const secondByteBounds: Readonly<Partial<Record<number, readonly [number, number]>>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
}

function encodeEscaped(text: string): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (const piece of text.split(/(\p{Surrogate})/u)) {
    const unit = piece.charCodeAt(0)
    const escaped = piece.length === 1 && unit >= 0xdc80 && unit <= 0xdcff
    parts.push(escaped ? Uint8Array.of(unit - 0xdc00) : encoder.encode(piece))
  }
  return concatBytes(parts)
}
