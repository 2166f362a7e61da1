/** A piece of the user's own Python file. */
export interface OriginalRange {
  readonly file: string
  /** 1-based line and 0-based column, in characters, of the first and behind the last character. */
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly text: string
}

/** Says for each place of a `code/` file which Python it was compiled from. */
export interface SourceRangeTable {
  readonly size: number
  /** @param offset in UTF-16 units of `CodeFile.text`. */
  at(offset: number): OriginalRange | undefined
}
