import type { Source } from '../ir/source-range.ts'
import { ScriptSyntaxError } from './errors.ts'

export type TokenKind = 'name' | 'number' | 'string' | 'operator' | 'newline' | 'indent' | 'dedent' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** The text; of a string, its content with escapes resolved. */
  readonly text: string
  /** UTF-16 offsets into the source. */
  readonly start: number
  readonly end: number
}

/** 1-based line and column of an offset, for an error's place. */
export function placeIn(source: Source, offset: number): { entry: string; line: number; column: number } {
  const before = source.text.slice(0, offset)
  return { entry: source.name, line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

const blanks = /[ \t\f\r]*(?:#[^\n]*)?(?:\\\r?\n[ \t]*)*/y
const name = /[\p{L}_][\p{L}\p{N}_]*/uy
const number = /(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)j?/y
const stringStart = /[rRuUbBfF]{0,2}("""|'''|"|')/y
const operator =
  /->|\*\*=|\/\/=|<<=|>>=|\*\*|\/\/|<<|>>|<=|>=|==|!=|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\.\.\.|:=|[-+*/%@&|^~<>()[\]{},:.;=]/y

/**
 * Cuts TorchScript source into tokens, with indentation as `indent` and `dedent` tokens as Python does
 * (torch/csrc/jit/frontend/lexer.h).
 *
 * @throws ScriptSyntaxError
 */
export function tokenize(source: Source): Token[] {
  return new Lexer(source).run()
}

class Lexer {
  readonly #source: Source
  readonly #text: string
  readonly #tokens: Token[] = []
  readonly #indents = [0]
  #at = 0
  #depth = 0

  constructor(source: Source) {
    this.#source = source
    this.#text = source.text
  }

  run(): Token[] {
    while (this.#startLine()) this.#restOfLine()
    if (this.#tokens.length > 0 && this.#tokens.at(-1)?.kind !== 'newline')
      this.#push('newline', '', this.#at)
    while (this.#indents.length > 1) this.#dedent()
    this.#push('end', '', this.#at)
    return this.#tokens
  }

  /** Skips empty lines and turns the indentation into tokens; false at the end of the text. */
  #startLine(): boolean {
    for (;;) {
      const start = this.#at
      this.#match(blanks)
      if (this.#at >= this.#text.length) return false
      if (this.#text[this.#at] !== '\n') {
        this.#indentTo(widthOf(this.#text.slice(start, this.#at)))
        return true
      }
      this.#at++
    }
  }

  #indentTo(width: number): void {
    if (width > (this.#indents.at(-1) ?? 0)) {
      this.#indents.push(width)
      this.#push('indent', '', this.#at)
    }
    while (width < (this.#indents.at(-1) ?? 0)) this.#dedent()
    if (width !== this.#indents.at(-1)) this.#fail('indentation matches no outer level', this.#at)
  }

  #dedent(): void {
    this.#indents.pop()
    this.#push('dedent', '', this.#at)
  }

  #restOfLine(): void {
    for (;;) {
      this.#match(blanks)
      if (this.#at >= this.#text.length) return
      if (this.#text[this.#at] === '\n') {
        const start = this.#at++
        if (this.#depth > 0) continue
        this.#push('newline', '', start)
        return
      }
      this.#token()
    }
  }

  #token(): void {
    const start = this.#at
    const quote = this.#peek(stringStart)
    if (quote !== undefined) {
      this.#string(quote, start)
      return
    }
    const found = this.#take(name, 'name') ?? this.#take(number, 'number') ?? this.#take(operator, 'operator')
    if (found === undefined) this.#fail(`unexpected character ${JSON.stringify(this.#text[start])}`, start)
    if ('([{'.includes(found)) this.#depth++
    if (')]}'.includes(found)) this.#depth--
  }

  #take(pattern: RegExp, kind: TokenKind): string | undefined {
    const start = this.#at
    const text = this.#match(pattern)
    if (text !== undefined) this.#push(kind, text, start)
    return text
  }

  #string(opening: string, start: number): void {
    const quote = /["']+/.exec(opening)?.[0] ?? '"'
    const isRaw = /r/i.test(opening)
    let at = start + opening.length
    const from = at
    while (!this.#text.startsWith(quote, at)) {
      if (at >= this.#text.length || (quote.length === 1 && this.#text[at] === '\n'))
        this.#fail('string literal is not closed', start)
      at += this.#text[at] === '\\' ? 2 : 1
    }
    this.#at = at + quote.length
    const raw = this.#text.slice(from, at)
    this.#push('string', isRaw ? raw : unescape(raw), start)
  }

  #match(pattern: RegExp): string | undefined {
    const found = this.#peek(pattern)
    if (found !== undefined) this.#at += found.length
    return found
  }

  #peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0]
  }

  #push(kind: TokenKind, text: string, start: number): void {
    this.#tokens.push({ kind, text, start, end: this.#at })
  }

  #fail(found: string, offset: number): never {
    throw new ScriptSyntaxError(
      found,
      placeIn(this.#source, offset),
      'TorchScript source is written by libtorch; was the archive edited?',
    )
  }
}

function widthOf(indentation: string): number {
  const own = indentation.replace(/#.*/s, '')
  return own.replaceAll('\t', '        ').length
}

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
}

/** Resolves Python's escapes; bytes written as `\303` or `\xc3` (as libtorch writes UTF-8) are decoded. */
function unescape(raw: string): string {
  if (!raw.includes('\\')) return raw
  const text = raw.replace(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|([\s\S]))/g,
    (_all, octal, hex, unicode, simple) => {
      if (octal !== undefined) return String.fromCharCode(parseInt(octal as string, 8) & 255)
      if (hex !== undefined) return String.fromCharCode(parseInt(hex as string, 16))
      if (unicode !== undefined) return String.fromCharCode(parseInt(unicode as string, 16))
      return simpleEscapes[simple as string] ?? `\\${simple as string}`
    },
  )
  return decodeBytes(text)
}

function decodeBytes(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\x00-\xff]/.test(text)) return text
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return text
  }
}
