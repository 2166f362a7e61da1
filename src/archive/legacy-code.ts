import type { CodeFile } from './archive-files.ts'
import { PickleTuple, type PickleValue } from './pickle-values.ts'
import { SourceRangeTable } from './source-ranges.ts'
import { lowerBound } from './text-offsets.ts'
import { encodeUtf8 } from './utf8.ts'

/** A piece of a source file that is put together, with the value of its own `.debug_pkl`. */
export interface LegacyPiece {
  readonly text: string
  /** In front of each line. */
  readonly indent: string
  readonly ranges: PickleValue
}

/**
 * A code file of today's form, put together from the class headers and method sources of an archive of
 * libtorch 1.0 to 1.3, whose modules have no classes.
 */
export class LegacyCodeFile implements CodeFile {
  readonly path: string
  readonly text: string
  readonly #pieces: readonly LegacyPiece[]
  #table: SourceRangeTable | undefined

  constructor(path: string, pieces: readonly LegacyPiece[]) {
    this.path = path
    this.text = pieces.map(({ text, indent }) => text.replaceAll(/^(?=.)/gm, indent)).join('')
    this.#pieces = pieces
  }

  get byteLength(): number {
    return encodeUtf8(this.text).length
  }

  get sourceRanges(): SourceRangeTable {
    return (this.#table ??= new SourceRangeTable(new PickleTuple(this.#rows()), this.text, this.path))
  }

  /** The pieces' rows at the offsets where their code came to lie. */
  #rows(): PickleValue[] {
    const rows: PickleValue[] = []
    let start = 0
    for (const { text, indent, ranges } of this.#pieces) {
      const bytes = encodeUtf8(text)
      const lineStarts = indentedLines(bytes)
      for (const row of ranges instanceof PickleTuple ? ranges.items : []) {
        const [offset, ...rest] = row instanceof PickleTuple ? row.items : []
        if (typeof offset !== 'number') continue
        const lines = lowerBound(lineStarts, offset + 1)
        rows.push(new PickleTuple([start + offset + lines * indent.length, ...rest]))
      }
      start += bytes.length + lineStarts.length * indent.length
    }
    return rows
  }
}

/** Where the lines that are not empty begin. */
function indentedLines(bytes: Uint8Array): number[] {
  const newline = 0x0a
  const starts: number[] = []
  for (let at = 0; at < bytes.length; at++)
    if ((at === 0 || bytes[at - 1] === newline) && bytes[at] !== newline) starts.push(at)
  return starts
}

/** Blanks the lines that only the old importer understood; offsets stay. */
export function blankPreamble(source: string): string {
  return source.replaceAll(/^(op_version_set *=.*|import .*)$/gm, (line) => ' '.repeat(line.length))
}
