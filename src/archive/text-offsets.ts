import { encodeUtf8 } from './utf8.ts'

/** Translates between offsets in a string's UTF-16 units and in its UTF-8 bytes, as C++ counts them. */
export class TextOffsets {
  readonly #text: string
  readonly #isAscii: boolean
  #byteOfUnit: Uint32Array | undefined

  constructor(text: string) {
    this.#text = text

    this.#isAscii = /^[\0-\x7f]*$/.test(text)
  }

  toByte(unit: number): number {
    if (this.#isAscii) return unit
    const table = (this.#byteOfUnit ??= byteOffsets(this.#text))
    return table[Math.max(0, Math.min(unit, table.length - 1))] as number
  }

  toUnit(byte: number): number {
    if (this.#isAscii) return byte
    const table = (this.#byteOfUnit ??= byteOffsets(this.#text))
    return Math.min(lowerBound(table, byte), table.length - 1)
  }
}

/** The byte at which each UTF-16 unit's character begins, and the number of all bytes. */
function byteOffsets(text: string): Uint32Array {
  const offsets = new Uint32Array(text.length + 1)
  let byte = 0
  let unit = 0
  for (const character of text) {
    for (let i = 0; i < character.length; i++) offsets[unit++] = byte
    byte += encodeUtf8(character).length
  }
  offsets[unit] = byte
  return offsets
}

/** The first index whose entry is at least `value`, in ascending entries. */
export function lowerBound(entries: ArrayLike<number>, value: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
