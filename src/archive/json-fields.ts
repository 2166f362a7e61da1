import { UnsupportedArchiveError } from './errors.ts'
import { decodeUtf8 } from './utf8.ts'

/** The fields of a JSON object as protobuf's JSON form has them: 64-bit ints may be strings, defaults are left out. */
export class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #entry: string

  constructor(value: unknown, entry: string) {
    this.#entry = entry
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail('has a value that is no object')
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  static parse(bytes: Uint8Array, entry: string): JsonFields {
    try {
      return new JsonFields(JSON.parse(decodeUtf8(bytes)), entry)
    } catch (error) {
      if (error instanceof UnsupportedArchiveError) throw error
      throw new UnsupportedArchiveError('the model description is no JSON', { entry }, '', { cause: error })
    }
  }

  fail(fault: string): never {
    throw new UnsupportedArchiveError(`the model description ${fault}`, { entry: this.#entry })
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined
  }

  string(name: string): string {
    const value = this.#fields[name] ?? ''
    return typeof value === 'string' ? value : this.fail(`has a ${name} that is no string`)
  }

  boolean(name: string): boolean {
    return this.#fields[name] === true
  }

  number(name: string): number {
    const number = Number(this.#fields[name] ?? 0)
    return Number.isFinite(number) ? number : this.fail(`has a ${name} that is no number`)
  }

  integer(name: string): number {
    return this.#toInteger(this.#fields[name] ?? 0, name)
  }

  integers(name: string): number[] {
    return this.#list(name).map((value) => this.#toInteger(value, name))
  }

  object(name: string): JsonFields {
    return new JsonFields(this.#fields[name] ?? {}, this.#entry)
  }

  objects(name: string): JsonFields[] {
    return this.#list(name).map((value) => new JsonFields(value, this.#entry))
  }

  #list(name: string): unknown[] {
    const value = this.#fields[name] ?? []
    return Array.isArray(value) ? value : this.fail(`has ${name} that are no list`)
  }

  #toInteger(value: unknown, name: string): number {
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    return Number.isSafeInteger(number) ? (number as number) : this.fail(`has a ${name} that is no int`)
  }
}
