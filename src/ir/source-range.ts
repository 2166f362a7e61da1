/** A text with a name: an archive's `code/….py`, a text of IR, or an original Python file. */
export interface Source {
  readonly name: string
  readonly text: string
  /** Where the text at `offset` (UTF-16 units into `text`) was compiled from, if the archive tells. */
  readonly original?: (offset: number) => OriginalLocation | undefined
}

export interface OriginalLocation {
  readonly file: string
  /** 1-based line, 0-based column, as libtorch prints them. */
  readonly line: number
  readonly column: number
}

/** A piece of source that a node was made from; it stays with the node through every pass. */
export class SourceRange {
  readonly source: Source
  readonly start: number
  readonly end: number
  /** Where the code that this is a part of was called, if it was inlined. */
  readonly caller: SourceRange | undefined
  #original: OriginalLocation | undefined | null = null

  constructor(source: Source, start: number, end: number, caller?: SourceRange) {
    this.source = source
    this.start = start
    this.end = end
    this.caller = caller
  }

  /**
   * The same piece as a part of what was called there.
   *
   * @param callers ranges around others that were inlined there: what they had in common stays one
   */
  inlinedAt(call: SourceRange | undefined, callers = new Map<SourceRange, SourceRange>()): SourceRange {
    if (call === undefined) return this
    let around = call
    if (this.caller !== undefined) {
      around = callers.get(this.caller) ?? this.caller.inlinedAt(call, callers)
      callers.set(this.caller, around)
    }
    return new SourceRange(this.source, this.start, this.end, around)
  }

  /** The location in the user's own Python file, where known. */
  get original(): OriginalLocation | undefined {
    if (this.#original === null) this.#original = this.source.original?.(this.start)
    return this.#original
  }

  /**
   * The same where it names a file, else that of the call: of some nodes the archive tells `:0:0`, which helps nobody
   * to find them.
   */
  get writtenAt(): OriginalLocation | undefined {
    const { original } = this
    return original === undefined || original.file === '' ? this.caller?.writtenAt : original
  }

  /** 1-based line and 0-based column in `source`. */
  get location(): OriginalLocation {
    const before = this.source.text.slice(0, this.start)
    const line = before.split('\n').length
    return { file: this.source.name, line, column: this.start - (before.lastIndexOf('\n') + 1) }
  }
}

export function formatLocation(location: OriginalLocation): string {
  return `${location.file}:${location.line}:${location.column}`
}
