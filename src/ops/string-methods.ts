import { OperatorArgumentError } from './errors.ts'
import { checkLength } from './sequence.ts'

const isLetter = (char: string): boolean => /[A-Za-z]/.test(char)

/** The first letter of each run of letters in upper case, the others in lower case. */
export function titleCase(text: string): string {
  return text.replace(/[A-Za-z]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
}

/** Whether upper case stands only behind non-letters, lower case only behind letters, and there is a letter. */
export function isTitle(text: string): boolean {
  return text === titleCase(text) && [...text].some(isLetter)
}

/** As Python 2 had it: ASCII only. */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text)
}

/** At runs of white space; libtorch ignores a limit here. */
export function splitBlank(text: string): string[] {
  return text.split(/[ \t\n\v\f\r]+/).filter((piece) => piece !== '')
}

/** At most `max` cuts, from the beginning or the end; any number if negative. */
export function splitAt(text: string, separator: string, max: number, side?: 'from the end'): string[] {
  if (separator === '') throw new OperatorArgumentError('empty separator')
  const pieces = text.split(separator)
  if (max < 0 || pieces.length <= max + 1) return pieces
  return side === undefined
    ? [...pieces.slice(0, max), pieces.slice(max).join(separator)]
    : [pieces.slice(0, pieces.length - max).join(separator), ...pieces.slice(pieces.length - max)]
}

/** libtorch cuts at each single line-end character and, if asked, gives it as a piece of its own. */
export function splitLines(text: string, keepEnds: boolean): string[] {
  const pieces = text.split(/([\n\r\v\f\x1c-\x1e])/)
  const last = pieces.at(-1)
  if (last === '') pieces.pop()
  return keepEnds ? pieces : pieces.filter((_, i) => i % 2 === 0)
}

export function partition(
  text: string,
  separator: string,
  search: 'indexOf' | 'lastIndexOf',
): [string, string, string] {
  const at = text[search](separator)
  if (at < 0) return search === 'indexOf' ? [text, '', ''] : ['', '', text]
  return [text.slice(0, at), separator, text.slice(at + separator.length)]
}

export function expandTabs(text: string, size: number): string {
  let column = 0
  let expanded = ''
  for (const char of text) {
    const isTab = char === '\t'
    const blanks = isTab && size > 0 ? size - (column % size) : 0
    expanded += isTab ? ' '.repeat(checkLength(blanks)) : char
    column = char === '\n' || char === '\r' ? 0 : column + (isTab ? blanks : 1)
    checkLength(expanded.length)
  }
  return expanded
}
