import type { SourceRange } from '../ir/source-range.ts'

/** A piece of printed text and what it was made from. */
export interface TaggedRange {
  /** UTF-16 offset into the text. */
  readonly offset: number
  readonly range: SourceRange | undefined
}

/** Source text that is being written, line by line, with the ranges of what each piece came from. */
export class SourceText {
  readonly ranges: TaggedRange[] = []
  readonly #lines: string[] = []
  #length = 0
  #indent = 0

  line(text: string, range?: SourceRange): void {
    const line = `${'  '.repeat(this.#indent)}${text}\n`
    this.ranges.push({ offset: this.#length, range })
    this.#lines.push(line)
    this.#length += line.length
  }

  indented(body: () => void): void {
    this.indent()
    body()
    this.dedent()
  }

  indent(): void {
    this.#indent++
  }

  dedent(): void {
    this.#indent--
  }

  toString(): string {
    return this.#lines.join('')
  }
}
