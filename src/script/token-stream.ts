import type { Source } from '../ir/source-range.ts'
import { ScriptSyntaxError } from './errors.ts'
import { placeIn, tokenize, type Token, type TokenKind } from './lexer.ts'

/** More nesting than any machine writes; beyond it the reader would exhaust the stack. */
const maximumDepth = 400

/** The tokens of a source with a cursor, and the one place where syntax errors are made. */
export class TokenStream {
  readonly source: Source
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(source: Source) {
    this.source = source
    this.#tokens = tokenize(source)
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token
  }

  /** The end of the token taken last. */
  get previousEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0
  }

  next(): Token {
    const token = this.current
    if (token.kind !== 'end') this.#at++
    return token
  }

  /** The token after the current one. */
  get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.current
  }

  sees(text: string): boolean {
    const { kind, text: found } = this.current
    return found === text && (kind === 'operator' || kind === 'name')
  }

  take(text: string): boolean {
    if (!this.sees(text)) return false
    this.#at++
    return true
  }

  takeKind(kind: TokenKind): boolean {
    if (this.current.kind !== kind) return false
    this.#at++
    return true
  }

  expect(text: string): Token {
    if (!this.sees(text)) this.fail(`expected '${text}' but found ${describe(this.current)}`)
    return this.next()
  }

  expectKind(kind: TokenKind): Token {
    if (this.current.kind !== kind) this.fail(`expected ${kind} but found ${describe(this.current)}`)
    return this.next()
  }

  /** A comma-separated list up to `close`, which is taken; a comma before it is allowed. */
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

  /** Runs `body` one level deeper. */
  nested<T>(body: () => T): T {
    if (++this.#depth > maximumDepth) this.fail(`nested deeper than ${maximumDepth} levels`)
    try {
      return body()
    } finally {
      this.#depth--
    }
  }

  fail(found: string, offset = this.current.start): never {
    throw new ScriptSyntaxError(found, placeIn(this.source, offset))
  }
}

function describe(token: Token): string {
  return token.text === '' ? `the ${token.kind === 'end' ? 'end' : token.kind}` : `'${token.text}'`
}
