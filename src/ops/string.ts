import type { IValue } from '../ir/ivalue.ts'
import { List } from '../ir/ivalue.ts'
import { bytesOf, textOfBytes } from './byte-text.ts'
import { OperatorArgumentError } from './errors.ts'
import { textList } from './list.ts'
import type { Operator } from './operator.ts'
import { defineRawOp } from './operator.ts'
import { toIndex } from './scalar-values.ts'
import { checkedIndex, checkLength, slicePositions } from './sequence.ts'
import {
  expandTabs,
  isIdentifier,
  isTitle,
  partition,
  splitAt,
  splitBlank,
  splitLines,
  titleCase,
} from './string-methods.ts'

/** Arguments as byte texts: strings are replaced, everything else is passed on. */
type BytesKernel = (args: readonly IValue[]) => IValue | readonly string[]

/** Kernels on byte texts, under the part of the schema that follows `aten::`. */
function onBytes(table: Readonly<Record<string, BytesKernel>>): Operator[] {
  return Object.entries(table).map(([text, kernel]) =>
    defineRawOp(text, { raw: (args) => decode(kernel(args.map(encode)), text) }),
  )
}

function encode(value: IValue): IValue {
  if (typeof value === 'string') return bytesOf(value)
  if (!(value instanceof List)) return value
  return new List(value.elements.map(encode), value.elementType)
}

/** An array is a `str[]`, or several results where the schema ends in a parenthesis. */
function decode(result: IValue | readonly string[], text: string): IValue | readonly IValue[] {
  if (typeof result === 'string') return textOfBytes(result)
  if (!isTexts(result)) return result
  const texts = result.map(textOfBytes)
  return text.endsWith(')') ? texts : textList(texts)
}

function isTexts(result: IValue | readonly string[]): result is readonly string[] {
  return Array.isArray(result)
}

const text = (value: IValue | undefined): string => value as string

/** The part `[start, end)` and where it begins; an end of -1 is the end of the string. */
function part([self, , start, end]: readonly IValue[]): { readonly text: string; readonly from: number } {
  const whole = text(self)
  const position = (value: IValue | undefined, ifNegative: number): number => {
    const index = toIndex(value)
    return Math.min(whole.length, Math.max(0, index < 0 ? whole.length + index + ifNegative : index))
  }
  const from = position(start, 0)
  return { text: whole.slice(from, Math.max(from, position(end, 1))), from }
}

function find(args: readonly IValue[], search: 'indexOf' | 'lastIndexOf'): number {
  const { text: searched, from } = part(args)
  const position = searched[search](text(args[1]))
  return position < 0 ? -1 : position + from
}

function findOrFail(args: readonly IValue[], search: 'indexOf' | 'lastIndexOf'): number {
  const position = find(args, search)
  if (position < 0) throw new OperatorArgumentError('substring not found')
  return position
}

function count(args: readonly IValue[]): number {
  return part(args).text.split(text(args[1])).length - 1
}

function replace([self, old, by, max]: readonly IValue[]): string {
  const limit = toIndex(max) < 0 ? Infinity : toIndex(max)
  const pieces = text(self).split(text(old))
  checkLength(pieces.length * text(by).length + text(self).length)
  const replaced = Math.min(limit, pieces.length - 1)
  return pieces.reduce((joined, piece, i) => joined + (i <= replaced ? text(by) : text(old)) + piece)
}

function fill(args: readonly IValue[], share: (missing: number) => number): string {
  const [self, width, char = ' '] = args
  if (text(char).length !== 1)
    throw new OperatorArgumentError('the fill character must be exactly one character long')
  const missing = checkLength(Math.max(0, toIndex(width) - text(self).length))
  const left = share(missing)
  return text(char).repeat(left) + text(self) + text(char).repeat(missing - left)
}

function strip([self, chars]: readonly IValue[], left: boolean, right: boolean): string {
  const [value, removed] = [text(self), text(chars)]
  let [start, end] = [0, value.length]
  while (left && start < end && removed.includes(value[start]!)) start++
  while (right && end > start && removed.includes(value[end - 1]!)) end--
  return value.slice(start, end)
}

/** A predicate that needs at least one character and holds for all of them. */
function all(pattern: RegExp): BytesKernel {
  return ([self]) => pattern.test(text(self))
}

const upper = (value: string): string => value.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
const lower = (value: string): string => value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
const swapCase = (value: string): string =>
  value.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))

const caseMethods = onBytes({
  'aten::upper(str self) -> str': ([self]) => upper(text(self)),
  'aten::lower(str self) -> str': ([self]) => lower(text(self)),
  'aten::swapcase(str self) -> str': ([self]) => swapCase(text(self)),
  'aten::capitalize(str self) -> str': ([self]) => upper(text(self).slice(0, 1)) + lower(text(self).slice(1)),
  'aten::title(str self) -> str': ([self]) => titleCase(text(self)),
})

const predicates = onBytes({
  'aten::isupper(str self) -> bool': all(/^[^a-z]*[A-Z][^a-z]*$/),
  'aten::islower(str self) -> bool': all(/^[^A-Z]*[a-z][^A-Z]*$/),
  'aten::isalnum(str self) -> bool': all(/^[A-Za-z0-9]+$/),
  'aten::isalpha(str self) -> bool': all(/^[A-Za-z]+$/),
  'aten::isdigit(str self) -> bool': all(/^[0-9]+$/),
  'aten::isdecimal(str self) -> bool': all(/^[0-9]+$/),
  'aten::isnumeric(str self) -> bool': all(/^[0-9]+$/),
  'aten::isspace(str self) -> bool': all(/^[ \t\n\v\f\r]+$/),
  'aten::isprintable(str self) -> bool': all(/^[ -~]*$/),
  'aten::istitle(str self) -> bool': ([self]) => isTitle(text(self)),
  'aten::isidentifier(str self) -> bool': ([self]) => isIdentifier(text(self)),
})

const searching = onBytes({
  'aten::find(str self, str substr, int start=0, int end=-1) -> int': (args) => find(args, 'indexOf'),
  'aten::rfind(str self, str substr, int start=0, int end=-1) -> int': (args) => find(args, 'lastIndexOf'),
  'aten::index.str(str self, str substr, int start=0, int end=-1) -> int': (args) =>
    findOrFail(args, 'indexOf'),
  'aten::rindex(str self, str substr, int start=0, int end=-1) -> int': (args) =>
    findOrFail(args, 'lastIndexOf'),
  'aten::count(str self, str substr, int start=0, int end=-1) -> int': count,
  'aten::startswith(str self, str substr, int start=0, int end=-1) -> bool': (args) =>
    part(args).text.startsWith(text(args[1])),
  'aten::endswith(str self, str substr, int start=0, int end=-1) -> bool': (args) =>
    part(args).text.endsWith(text(args[1])),
  'aten::replace(str self, str old, str new, int max=-1) -> str': replace,
})

const padding = onBytes({
  'aten::center(str self, int width, str fillchar=" ") -> str': (args) =>
    // The odd one goes where CPython puts it.
    fill(args, (missing) => (missing >> 1) + (missing & toIndex(args[1]) & 1)),
  'aten::ljust(str self, int width, str fillchar=" ") -> str': (args) => fill(args, () => 0),
  'aten::rjust(str self, int width, str fillchar=" ") -> str': (args) => fill(args, (missing) => missing),
  'aten::zfill(str self, int width) -> str': ([self, width]) =>
    fill([self!, width!, '0'], (missing) => missing),
  'aten::strip(str self, str chars=" \\n\\t\\f\\v") -> str': (args) => strip(args, true, true),
  'aten::lstrip(str self, str chars=" \\n\\t\\f\\v") -> str': (args) => strip(args, true, false),
  'aten::rstrip(str self, str chars=" \\n\\t\\f\\v") -> str': (args) => strip(args, false, true),
  'aten::expandtabs(str self, int tabsize=8) -> str': ([self, size]) => expandTabs(text(self), toIndex(size)),
})

const splitting = onBytes({
  'aten::split.str(str self, str? separator=None, int max=-1) -> str[]': ([self, separator, max]) =>
    separator === null ? splitBlank(text(self)) : splitAt(text(self), text(separator), toIndex(max)),
  'aten::rsplit(str self, str separator=" ", int max=-1) -> str[]': ([self, separator, max]) =>
    splitAt(text(self), text(separator), toIndex(max), 'from the end'),
  'aten::splitlines(str self, bool keepends=False) -> str[]': ([self, keep]) =>
    splitLines(text(self), keep === true),
  'aten::partition(str self, str separator) -> (str, str, str)': ([self, separator]) =>
    partition(text(self), text(separator), 'indexOf'),
  'aten::rpartition(str self, str separator) -> (str, str, str)': ([self, separator]) =>
    partition(text(self), text(separator), 'lastIndexOf'),
  'aten::list(str t) -> str[]': ([t]) => [...text(t)],
  'aten::join(str self, str[] values) -> str': ([self, values]) =>
    values instanceof List ? values.elements.map(text).join(text(self)) : '',
})

function characterAt([string, index]: readonly IValue[]): string {
  const value = text(string)
  return value[checkedIndex(index, value.length, 'string')]!
}

const indexing = onBytes({
  'aten::len.str(str s) -> int': ([s]) => text(s).length,
  'aten::add.str(str a, str b) -> str': ([a, b]) => text(a) + text(b),
  'aten::__getitem__.str(str s, int index) -> str': characterAt,
  'prim::StringIndex(str string, int index) -> str': characterAt,
  'aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str': ([string, ...bounds]) =>
    slicePositions(text(string).length, bounds)
      .map((i) => text(string)[i])
      .join(''),
  'aten::ord(str string) -> int': ([string]) => {
    const value = text(string)
    if (value.length !== 1)
      throw new OperatorArgumentError(`string for ord() must be 1 character, found ${value.length}`)
    return value.charCodeAt(0)
  },
  'aten::chr(int i) -> str': ([i]) => {
    const code = toIndex(i)
    if (code < 0 || code >= 0x110000)
      throw new OperatorArgumentError(`chr() arg not in range(0x110000), found ${code}`)
    return String.fromCharCode(code & 0xff)
  },
  'aten::hex(int i) -> str': ([i]) => inBase(i, 16, '0x'),
  'aten::oct(int i) -> str': ([i]) => inBase(i, 8, '0o'),
  'aten::bin(int i) -> str': ([i]) => inBase(i, 2, '0b'),
})

function inBase(value: IValue | undefined, base: number, prefix: string): string {
  const digits = (value as number | bigint).toString(base)
  return digits.startsWith('-') ? `-${prefix}${digits.slice(1)}` : prefix + digits
}

export const string: readonly Operator[] = [
  ...caseMethods,
  ...predicates,
  ...searching,
  ...padding,
  ...splitting,
  ...indexing,
]
