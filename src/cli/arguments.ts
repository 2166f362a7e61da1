import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UsageError } from './errors.ts'

type OptionSpecs = NonNullable<ParseArgsConfig['options']>

/** What a verb was called with. Options of type string are read with `text`, repeated ones with `texts`. */
export class Arguments {
  readonly positionals: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>

  constructor(positionals: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.positionals = positionals
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  }

  /** The comma-separated words of an option. */
  words(name: string): readonly string[] | undefined {
    return this.text(name)
      ?.split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '')
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  /** @throws UsageError if the option is no number of at least `minimum` */
  number(name: string, minimum: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text.trim() === '' || !(value >= minimum))
      throw new UsageError(`--${name} must be a number of at least ${minimum}, not '${text}'`)
    return value
  }

  /** @throws UsageError unless there are between `least` and `most` positional arguments */
  expectPositionals(least: number, most: number, usage: string): void {
    const { length } = this.positionals
    if (length < least || length > most)
      throw new UsageError(
        length < least ? 'an argument is missing' : `unexpected argument '${this.positionals[most] ?? ''}'`,
        {},
        `usage: ${usage}`,
      )
  }
}

/** @throws UsageError for unknown options and options without their value */
export function parseArguments(args: readonly string[], options: OptionSpecs, usage: string): Arguments {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true })
    return new Arguments(positionals, values)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError(message.split('\n', 1)[0] ?? message, {}, `usage: ${usage}`, { cause: error })
  }
}
