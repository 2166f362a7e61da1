import { Complex } from './ivalue.ts'
import type { TextCursor } from './text-cursor.ts'

const number = String.raw`(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)`
/** `1.+2.j`, `2j` */
export const complexLiteral = new RegExp(`([-+]?${number})([-+]${number})j|([-+]?${number})j`, 'y')
/** `-1`, `1.5e-05`, `inf`, `nan` */
export const numberLiteral = new RegExp(`[-+]?${number}(?![\\w.])`, 'y')

export function isNumber(word: string): boolean {
  return new RegExp(`^[-+]?${number}$`).test(word)
}

/** The number that `numberLiteral` matched. */
export function toNumber(text: string): number {
  const size = text.replace(/^[-+]/, '')
  const value = size === 'inf' ? Infinity : size === 'nan' ? NaN : Number(size)
  return text.startsWith('-') ? -value : value
}

/** The number that `complexLiteral` matched. */
export function complexOf(text: string): Complex {
  const [, real, imag, alone] = new RegExp(complexLiteral.source).exec(text) ?? []
  return new Complex(toNumber(real ?? '0'), toNumber(imag ?? alone ?? '0'))
}

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** A string literal as `printQuoted` writes it; see there for the octal digits below `0`. */
export function parseQuoted(cursor: TextCursor): string {
  const text =
    cursor.match(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y) ??
    cursor.fail(`expected a string but found '${cursor.peekText()}'`)
  const bytes: number[] = []
  for (const [part] of text.slice(1, -1).matchAll(/\\[)-7]{3}|\\.|[^\\]+/gs)) {
    if (!part.startsWith('\\')) bytes.push(...new TextEncoder().encode(part))
    else if (part.length === 4) bytes.push(fromOctal(part))
    else bytes.push(escapes[part.charAt(1)] ?? part.charCodeAt(1))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

function fromOctal(text: string): number {
  const digit = (at: number): number => text.charCodeAt(at) - 48
  return digit(1) * 64 + digit(2) * 8 + digit(3)
}
