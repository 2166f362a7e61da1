import { Double, type IValue } from './ivalue.ts'
import { List } from './ivalue.ts'
import type { AliasInfo, Argument, FunctionSchema } from './schema.ts'
import { TextCursor } from './text-cursor.ts'
import { parseAtomicType } from './type-parser.ts'
import { AnyT, IntT, listOf, optionalOf, tupleOf, type Type } from './types.ts'

interface ParsedType {
  readonly type: Type
  readonly realName?: string
  readonly fixedSize?: number
  readonly alias?: AliasInfo
  readonly elementAlias?: AliasInfo
}

/**
 * Parses a schema as libtorch prints and registers them,
 * `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
 * (torch/csrc/jit/frontend/function_schema_parser.cpp).
 *
 * @throws IrSyntaxError
 */
export function parseSchema(text: string): FunctionSchema {
  const cursor = new TextCursor(text)
  const [name = '', overload = ''] = splitOverload(cursor.identifier('an operator name'))
  cursor.expect('(')
  let kwargOnly = false
  let isVararg = false
  const args: Argument[] = []
  cursor.list(')', () => {
    if (cursor.take('...')) isVararg = true
    else if (cursor.take('*')) kwargOnly = true
    else args.push({ ...parseArgument(cursor), kwargOnly })
  })
  cursor.expect('->')
  let isVarret = false
  const returns: Argument[] = []
  if (cursor.take('...')) isVarret = true
  else if (cursor.take('('))
    cursor.list(')', () => {
      if (cursor.take('...')) isVarret = true
      else returns.push(parseReturn(cursor))
    })
  else returns.push(parseReturn(cursor))
  return { name, overload, arguments: args, returns, isVararg, isVarret }
}

function splitOverload(name: string): string[] {
  const separator = name.indexOf('.', name.indexOf('::') + 2)
  return separator === -1 ? [name] : [name.slice(0, separator), name.slice(separator + 1)]
}

function parseArgument(cursor: TextCursor): Argument {
  const parsed = parseSchemaType(cursor)
  const name = cursor.identifier('an argument name')
  if (!cursor.take('=')) return { ...parsed, name, kwargOnly: false }
  return { ...parsed, name, kwargOnly: false, default: parseDefault(cursor, parsed) }
}

function parseReturn(cursor: TextCursor): Argument {
  const parsed = parseSchemaType(cursor)
  const name = cursor.match(/[A-Za-z_]\w*/y) ?? ''
  return { ...parsed, name, kwargOnly: false }
}

/** A type of a schema with its alias annotations, `Tensor(a!)[]?`. */
function parseSchemaType(cursor: TextCursor): ParsedType {
  let parsed = parseBaseType(cursor)
  let alias = parseAlias(cursor)
  for (;;) {
    const bracket = cursor.match(/\[\d*\]/y)
    if (bracket !== undefined) {
      const fixedSize = bracket === '[]' ? undefined : Number(bracket.slice(1, -1))
      parsed = {
        type: listOf(parsed.type),
        ...(parsed.realName !== undefined && { realName: parsed.realName }),
        ...(fixedSize !== undefined && { fixedSize }),
        ...(alias && { elementAlias: alias }),
      }
      alias = parseAlias(cursor)
    } else if (cursor.take('?')) {
      parsed = { ...parsed, type: optionalOf(parsed.type) }
    } else {
      return alias ? { ...parsed, alias } : parsed
    }
  }
}

function parseBaseType(cursor: TextCursor): ParsedType {
  if (cursor.take('(')) return { type: tupleOf(cursor.list(')', () => parseSchemaType(cursor).type)) }
  const start = cursor.position
  const name = cursor.match(/ScalarType|Layout|MemoryFormat|Dimname/y)
  if (name !== undefined && !/\w/.test(cursor.text[cursor.position] ?? ''))
    return { type: IntT, realName: name }
  cursor.position = start
  return { type: parseAtomicType(cursor, () => parseSchemaType(cursor).type, schemaNames) }
}

/** In a schema a lower-case name that is no type is a type variable. */
const schemaNames = (name: string): Type =>
  /^[a-z]\w*$/.test(name) ? { kind: 'Var', name } : { kind: 'Opaque', name }

function parseAlias(cursor: TextCursor): AliasInfo | undefined {
  // Only directly behind the type: a blank before the parenthesis would begin something else.
  if (cursor.text[cursor.position] !== '(') return undefined
  cursor.expect('(')
  const before = parseAliasSet(cursor)
  const isWrite = cursor.take('!')
  const after = cursor.take('->') ? parseAliasSet(cursor) : before
  cursor.expect(')')
  return { before, after, isWrite }
}

function parseAliasSet(cursor: TextCursor): string[] {
  const names: string[] = []
  do names.push(cursor.take('*') ? '*' : cursor.identifier('an alias set'))
  while (cursor.take('|'))
  return names
}

const namedDefaults: Readonly<Record<string, IValue>> = {
  None: null,
  True: true,
  False: false,
  inf: new Double(Infinity),
  nan: new Double(NaN),
  // c10/core: the codes of the enums that a schema may name.
  Mean: 1,
  Sum: 2,
  float: 6,
  long: 4,
  bool: 11,
  strided: 0,
  contiguous_format: 0,
  preserve_format: 1,
  per_tensor_affine: 0,
}

function parseDefault(cursor: TextCursor, { type, fixedSize }: ParsedType): IValue {
  const target = type.kind === 'Optional' ? type.element : type
  if (cursor.take('[')) {
    const element = target.kind === 'List' ? target.element : AnyT
    return new List(
      cursor.list(']', () => parseScalarDefault(cursor, element)),
      element,
    )
  }
  if (target.kind !== 'List') return parseScalarDefault(cursor, target)
  const element = parseScalarDefault(cursor, target.element)
  return element === null ? null : new List(new Array<IValue>(fixedSize ?? 1).fill(element), target.element)
}

function parseScalarDefault(cursor: TextCursor, type: Type): IValue {
  const text = cursor.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y)
  if (text !== undefined) return unescape(text.slice(1, -1))
  const number = cursor.match(/-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|-inf/y)
  if (number !== undefined) {
    const isFloat = type.kind === 'Float' || /[.e]|inf/.test(number)
    const value = number === '-inf' ? -Infinity : Number(number)
    return isFloat ? new Double(value) : Number.isSafeInteger(value) ? value : BigInt(number)
  }
  const name = cursor.identifier('a default value')
  const value = namedDefaults[name]
  return value === undefined ? cursor.fail(`unknown default value '${name}'`) : value
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', f: '\f', v: '\v', r: '\r' }

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char)
}
