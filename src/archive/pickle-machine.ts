import type { Place } from '../errors.ts'
import type { Storage } from '../tensor/storage.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { DType } from '../tensor/dtype.ts'
import { PickleError } from './errors.ts'
import type { ArchiveLimits } from './limits.ts'
import type { PickleValue } from './pickle-values.ts'

/** The persistent id of a storage: what a pickle knows of bytes that lie outside of it. */
export interface StorageId {
  readonly key: string
  readonly dtype: DType
  readonly device: string
  /** In elements. */
  readonly numel: number
}

export interface PickleSurroundings {
  /** Named in errors. */
  readonly entry: string
  readonly limits: ArchiveLimits
  /** The bytes of a persistent id; at least `numel` elements. */
  storage?(id: StorageId): Storage
  /** The tensor of an index, for archives of libtorch before 1.4. */
  tensor?(index: number): Tensor | undefined
}

/** The state of a running pickle: its bytes, the stack with its marks, and the memo. */
export class PickleMachine {
  readonly surroundings: PickleSurroundings
  readonly stack: PickleValue[] = []
  readonly memo: (PickleValue | undefined)[] = []
  /** Set by STOP. */
  result: PickleValue | undefined
  /** Where the current instruction begins. */
  instruction = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #marks: number[] = []
  #at = 0
  #objects = 0

  constructor(bytes: Uint8Array, surroundings: PickleSurroundings) {
    this.surroundings = surroundings
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get place(): Place {
    return { entry: this.surroundings.entry, offset: this.instruction }
  }

  /** Throws a `PickleError` that names the entry and the current instruction. */
  readonly fail = (found: string): never => {
    throw new PickleError(found, this.place)
  }

  push(value: PickleValue): void {
    if (
      typeof value === 'object' &&
      value !== null &&
      ++this.#objects > this.surroundings.limits.pickleObjects
    )
      this.fail(`the pickle makes more than ${this.surroundings.limits.pickleObjects} objects`)
    this.stack.push(value)
  }

  pop(): PickleValue {
    if (this.stack.length <= this.#floor) return this.fail('the pickle takes a value from an empty stack')
    return this.stack.pop() as PickleValue
  }

  /** The value on top, which stays there. */
  top(): PickleValue {
    if (this.stack.length <= this.#floor) return this.fail('the pickle needs a value on an empty stack')
    return this.stack[this.stack.length - 1] as PickleValue
  }

  mark(): void {
    this.#marks.push(this.stack.length)
  }

  /** Takes all values above the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop()
    if (mark === undefined) return this.fail('the pickle closes a tuple, list or dict that it never opened')
    return this.stack.splice(mark)
  }

  remember(index: number, value: PickleValue): void {
    if (index > this.#bytes.length) this.fail(`the pickle uses memo ${index}, more than it has bytes`)
    this.memo[index] = value
  }

  recall(index: number): PickleValue {
    const value = this.memo[index]
    return value === undefined ? this.fail(`memo ${index} is not set`) : value
  }

  nextOpcode(): number {
    this.instruction = this.#at
    return this.readUint8()
  }

  readUint8(): number {
    return this.#bytes[this.#advance(1)] as number
  }

  readUint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  readInt32(): number {
    return this.#view.getInt32(this.#advance(4), true)
  }

  readUint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  /** A length; those beyond any memory come out too large for what is left of the pickle. */
  readUint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true))
  }

  readFloat64(): number {
    return this.#view.getFloat64(this.#advance(8), false)
  }

  readBytes(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Up to the next newline, which is skipped. */
  readLine(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) return this.fail('the pickle ends within a name')
    const line = this.#bytes.subarray(this.#at, end)
    this.#at = end + 1
    return line
  }

  get #floor(): number {
    return this.#marks[this.#marks.length - 1] ?? 0
  }

  #advance(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start)
      return this.fail(`the pickle ends ${length - (this.#bytes.length - start)} bytes too early`)
    this.#at = start + length
    return start
  }
}
