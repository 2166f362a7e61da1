import { ByteWriter } from './byte-writer.ts'
import { PickleWriteError } from './errors.ts'
import { opcodes as op } from './pickle-opcodes.ts'
import { encodeUtf8 } from './utf8.ts'

/** Writes the instructions of a pickle of protocol 2, and numbers its memo. */
export class PickleEmitter {
  readonly #out = new ByteWriter()
  readonly #memoOfText = new Map<string, number>()
  #memoSize = 0

  constructor() {
    this.#out.uint8(op.PROTO)
    this.#out.uint8(2)
  }

  finish(): Uint8Array {
    this.#out.uint8(op.STOP)
    return this.#out.bytes
  }

  opcode(opcode: number): void {
    this.#out.uint8(opcode)
  }

  /** Throws `PickleWriteError` beyond 64 bits. */
  int(value: number | bigint): void {
    if (typeof value === 'bigint' || value < -(2 ** 31) || value >= 2 ** 31) {
      this.#long(BigInt(value))
    } else if (value >= 0 && value < 2 ** 8) {
      this.#out.uint8(op.BININT1)
      this.#out.uint8(value)
    } else if (value >= 0 && value < 2 ** 16) {
      this.#out.uint8(op.BININT2)
      this.#out.uint16(value)
    } else {
      this.#out.uint8(op.BININT)
      this.#out.int32(value)
    }
  }

  float(value: number): void {
    this.#out.uint8(op.BINFLOAT)
    this.#out.float64(value)
  }

  text(text: string): void {
    this.memoized(`s${text}`, () => {
      const bytes = encodeUtf8(text)
      this.#out.uint8(op.BINUNICODE)
      this.#out.uint32(bytes.length)
      this.#out.append(bytes)
    })
  }

  global(module: string, name: string): void {
    this.memoized(`g${module}\n${name}`, () => {
      this.#out.uint8(op.GLOBAL)
      this.#out.append(encodeUtf8(`${module}\n${name}\n`))
    })
  }

  /** What is written between a mark and the instruction that takes all above it. */
  marked(opcode: number, writeItems: () => void): void {
    this.#out.uint8(op.MARK)
    writeItems()
    this.#out.uint8(opcode)
  }

  call(module: string, name: string, writeArguments: () => void): void {
    this.global(module, name)
    writeArguments()
    this.#out.uint8(op.REDUCE)
  }

  /** Writes what `key` stands for, or takes it from the memo when it was written before. */
  memoized(key: string, write: () => void): void {
    this.once(this.#memoOfText.get(key), write, (memo) => this.#memoOfText.set(key, memo))
  }

  /** Takes a value from the memo if it has one; else writes it and puts it there. */
  once(memo: number | undefined, write: () => void, keep: (memo: number) => void): void {
    if (memo === undefined) {
      write()
      this.#memo(op.BINPUT, op.LONG_BINPUT, this.#memoSize)
      keep(this.#memoSize++)
    } else {
      this.#memo(op.BINGET, op.LONG_BINGET, memo)
    }
  }

  #memo(short: number, long: number, memo: number): void {
    this.#out.uint8(memo < 256 ? short : long)
    if (memo < 256) this.#out.uint8(memo)
    else this.#out.uint32(memo)
  }

  #long(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value)
      throw new PickleWriteError(`the int ${value} has more than 64 bits`)
    this.#out.uint8(op.LONG1)
    this.#out.uint8(8)
    this.#out.int64(value)
  }
}
