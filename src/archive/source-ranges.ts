import { PickleError } from './errors.ts'
import { PickleList, PickleTuple, type PickleValue } from './pickle-values.ts'
import { lowerBound, TextOffsets } from './text-offsets.ts'

/** A piece of a user's Python file: usually one function. */
export interface OriginalSource {
  /** Empty where the compiler made the code itself; libtorch prints such a place as `:0:0`. */
  readonly file: string
  /** 1-based line of the file at which `text` begins. */
  readonly firstLine: number
  readonly text: string
}

/** A range of a user's Python file. */
export class OriginalRange {
  readonly source: OriginalSource
  /** In UTF-16 units of `source.text`. */
  readonly start: number
  readonly end: number

  constructor(source: OriginalSource, start: number, end: number) {
    this.source = source
    this.start = start
    this.end = end
  }

  get file(): string {
    return this.source.file
  }
  /** 1-based. */
  get line(): number {
    return lineAt(this.source, this.start)
  }
  /** 0-based. */
  get column(): number {
    return columnAt(this.source, this.start)
  }
  get endLine(): number {
    return lineAt(this.source, this.end)
  }
  /** Behind the last character. */
  get endColumn(): number {
    return columnAt(this.source, this.end)
  }
  get text(): string {
    return this.source.text.slice(this.start, this.end)
  }
}

function lineAt({ text, firstLine }: OriginalSource, offset: number): number {
  let line = firstLine
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

function columnAt({ text }: OriginalSource, offset: number): number {
  return offset === 0 ? 0 : offset - (text.lastIndexOf('\n', offset - 1) + 1)
}

/** Marks the format in which texts are stored once and named by their index. */
export const stringTableMark = 'FORMAT_WITH_STRING_TABLE'

/** Says for each place of a `code/` file which Python it was compiled from. */
export class SourceRangeTable {
  readonly #offsets: readonly number[]
  readonly #ranges: readonly PickleTuple[]
  readonly #code: TextOffsets
  readonly #texts: readonly PickleValue[] | undefined
  readonly #sources = new Map<PickleValue, { source: OriginalSource; offsets: TextOffsets } | undefined>()

  /**
   * Reads the value of a `.debug_pkl` (torch/csrc/jit/serialization/source_range_serialization.cpp): rows of
   * `(byte offset, range)` in libtorch 1.4, `(offset, tag, range)` or `(offset, range, tag)` later, alone or
   * behind a table of texts. Ranges themselves are looked at when asked for.
   * @param code the text of the `.py` file that the offsets are in
   * Throws `PickleError`.
   */
  constructor(value: PickleValue, code: string, entry: string) {
    const [mark, texts, table] = value instanceof PickleTuple ? value.items : []
    const hasTable = mark === stringTableMark && texts instanceof PickleTuple
    const rows = hasTable ? table : value
    if (!(rows instanceof PickleTuple)) throw new PickleError('the source ranges are no table', { entry })
    this.#texts = hasTable ? texts.items : undefined
    this.#code = new TextOffsets(code)
    const records = rows.items.map((row) => readRow(row, entry)).sort((a, b) => a.offset - b.offset)
    this.#offsets = records.map(({ offset }) => offset)
    this.#ranges = records.map(({ range }) => range)
  }

  get size(): number {
    return this.#offsets.length
  }

  /**
   * The range that the code at `offset` was compiled from: that of the last record at or before it.
   * @param offset in UTF-16 units of the `.py` text
   */
  at(offset: number): OriginalRange | undefined {
    const range = this.#ranges[lowerBound(this.#offsets, this.#code.toByte(offset) + 1) - 1]
    const [key, start, end] = range?.items ?? []
    if (key === undefined || typeof start !== 'number' || typeof end !== 'number') return undefined
    if (!this.#sources.has(key)) this.#sources.set(key, this.#readSource(key))
    const found = this.#sources.get(key)
    if (found === undefined) return undefined
    const from = found.offsets.toUnit(start)
    return new OriginalRange(found.source, from, Math.max(from, found.offsets.toUnit(end)))
  }

  /** Undefined where no file is named. */
  #readSource(value: PickleValue): { source: OriginalSource; offsets: TextOffsets } | undefined {
    const [textKey, fileKey, firstLine] = value instanceof PickleTuple ? value.items : []
    const text =
      textKey instanceof PickleList ? textKey.items.map((key) => this.#text(key)).join('') : textKey
    const file = this.#texts === undefined ? fileKey : this.#text(fileKey)
    if (typeof text !== 'string' || typeof file !== 'string' || typeof firstLine !== 'number')
      return undefined
    return { source: { file, firstLine, text }, offsets: new TextOffsets(text) }
  }

  #text(index: PickleValue | undefined): string {
    const text = typeof index === 'number' ? this.#texts?.[index] : undefined
    return typeof text === 'string' ? text : ''
  }
}

function readRow(row: PickleValue, entry: string): { offset: number; range: PickleTuple } {
  const [offset, first, second] = row instanceof PickleTuple ? row.items : []
  const range = first instanceof PickleTuple ? first : second
  if (typeof offset !== 'number' || !(range instanceof PickleTuple))
    throw new PickleError('a row of the source ranges is no offset with a range', { entry })
  return { offset, range }
}

export interface SourceRangeRecord {
  /** In UTF-16 units of the `.py` text; the record holds from here to the next. */
  readonly offset: number
  readonly range: OriginalRange
}

/** The origin of code that was compiled from nothing. */
export const unknownOrigin = new OriginalRange({ file: '', firstLine: 0, text: '' }, 0, 0)

/** What `SourceRangeTable` reads, in the format that libtorch writes since 1.11: with a table of texts. */
export function encodeSourceRanges(records: readonly SourceRangeRecord[], code: string): PickleValue {
  const codeOffsets = new TextOffsets(code)
  const texts = new TextTable()
  const sources = new Map<OriginalSource, { value: PickleTuple; offsets: TextOffsets }>()
  const encodeRange = (range: OriginalRange): PickleTuple => {
    let source = sources.get(range.source)
    if (source === undefined) {
      source = { value: texts.encode(range.source), offsets: new TextOffsets(range.source.text) }
      sources.set(range.source, source)
    }
    return new PickleTuple([
      source.value,
      source.offsets.toByte(range.start),
      source.offsets.toByte(range.end),
    ])
  }
  const rows = records.map(({ offset, range }, tag) => {
    return new PickleTuple([codeOffsets.toByte(offset), encodeRange(range), tag])
  })
  return new PickleTuple([stringTableMark, new PickleTuple(texts.texts), new PickleTuple(rows)])
}

/** Each text once; the empty one first, as it stands for «no file». */
class TextTable {
  readonly texts: string[] = ['']
  readonly #indices = new Map<string, number>([['', 0]])

  encode(source: OriginalSource): PickleTuple {
    const lines = source.text.match(/[^\n]*\n|[^\n]+$/g) ?? []
    const indices = lines.map((line) => this.#index(line))
    return new PickleTuple([new PickleList(indices, 'List[int]'), this.#index(source.file), source.firstLine])
  }

  #index(text: string): number {
    let index = this.#indices.get(text)
    if (index === undefined) {
      index = this.texts.length
      this.texts.push(text)
      this.#indices.set(text, index)
    }
    return index
  }
}
