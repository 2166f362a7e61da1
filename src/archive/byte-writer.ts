/** Bytes that grow at their end. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written so far; a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  uint8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
  }

  uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
  }

  uint64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, BigInt(value), true)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value, true)
  }

  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value, true)
  }

  /** Big-endian, as pickles have it. */
  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, false)
  }

  append(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  fill(value: number, count: number): void {
    const at = this.#reserve(count)
    this.#bytes.fill(value, at, at + count)
  }

  #reserve(count: number): number {
    const at = this.#length
    this.#length = at + count
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }
}
