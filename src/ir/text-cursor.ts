import { IrSyntaxError } from './errors.ts'

/** Reads IR text, schemas and types from left to right; its errors say line and column. */
export class TextCursor {
  readonly text: string
  position: number

  constructor(text: string, position = 0) {
    this.text = text
    this.position = position
  }

  fail(found: string, advice = ''): never {
    const before = this.text.slice(0, this.position).split('\n')
    throw new IrSyntaxError(found, { line: before.length, column: (before.at(-1) ?? '').length + 1 }, advice)
  }

  /** Skips blanks, not line ends. */
  skipBlanks(): void {
    while (this.text[this.position] === ' ' || this.text[this.position] === '\t') this.position++
  }

  get atEnd(): boolean {
    this.skipBlanks()
    return this.position >= this.text.length
  }

  /** Whether `token` comes next (behind blanks). */
  sees(token: string): boolean {
    this.skipBlanks()
    return this.text.startsWith(token, this.position)
  }

  /** Takes `token` if it comes next. */
  take(token: string): boolean {
    if (!this.sees(token)) return false
    this.position += token.length
    return true
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(`expected '${token}' but found '${this.peekText()}'`)
  }

  /** The match of a sticky pattern at the cursor (behind blanks), taken; undefined if there is none. */
  match(pattern: RegExp): string | undefined {
    this.skipBlanks()
    pattern.lastIndex = this.position
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.position += found.length
    return found
  }

  /** Whether a sticky pattern matches at the cursor (behind blanks). */
  looksLike(pattern: RegExp): boolean {
    this.skipBlanks()
    pattern.lastIndex = this.position
    return pattern.test(this.text)
  }

  /** `a.b::c`, `t`, `__torch__.x.Y` */
  identifier(what: string): string {
    return (
      this.match(/[A-Za-z_][\w.]*(?:::[\w.]+)*/y) ??
      this.fail(`expected ${what} but found '${this.peekText()}'`)
    )
  }

  /** A comma-separated list up to `close`; a comma before `close` is allowed. */
  list<T>(close: string, item: () => T): T[] {
    const items: T[] = []
    while (!this.take(close)) {
      items.push(item())
      if (!this.take(',')) {
        this.expect(close)
        break
      }
    }
    return items
  }

  peekText(): string {
    this.skipBlanks()
    const rest = this.text.slice(this.position, this.position + 20).split('\n', 1)[0] ?? ''
    return rest === '' ? (this.position >= this.text.length ? 'the end' : 'the end of the line') : rest
  }
}
