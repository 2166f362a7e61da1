/** A matrix of bits, 32 to a word. */
export class BitRows {
  readonly width: number
  readonly words: Uint32Array

  constructor(rows: number, columns: number, isSet = false) {
    this.width = Math.ceil(columns / 32)
    this.words = new Uint32Array(rows * this.width)
    if (isSet) this.words.fill(0xffffffff)
  }

  has(row: number, column: number): boolean {
    return hasBit(this.row(row), column)
  }

  set(row: number, column: number, value = true): void {
    setBit(this.row(row), column, value)
  }

  row(row: number): Uint32Array {
    return this.words.subarray(row * this.width, (row + 1) * this.width)
  }

  /** Puts `make(word)` into each word of the row; says whether that changes any. */
  update(row: number, make: (word: number) => number): boolean {
    let changed = false
    const start = row * this.width
    for (let i = 0; i < this.width; i++) {
      const value = make(i) >>> 0
      if (this.words[start + i] !== value) changed = true
      this.words[start + i] = value
    }
    return changed
  }
}

export function hasBit(words: Uint32Array, column: number): boolean {
  return (((words[column >>> 5] ?? 0) >>> (column & 31)) & 1) === 1
}

export function setBit(words: Uint32Array, column: number, value = true): void {
  const word = words[column >>> 5] ?? 0
  const bit = 1 << (column & 31)
  words[column >>> 5] = value ? word | bit : word & ~bit
}

/** The columns that are set. */
export function* bitsOf(words: Uint32Array): Generator<number, void, undefined> {
  for (const [i, word] of words.entries())
    for (let rest = word; rest !== 0; rest &= rest - 1) yield i * 32 + 31 - Math.clz32(rest & -rest)
}
