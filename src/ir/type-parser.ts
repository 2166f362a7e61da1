import { dtypeFromIrName } from '../tensor/dtype.ts'
import type { TextCursor } from './text-cursor.ts'
import { AnyT, listOf, optionalOf, tupleOf, type SimpleKind, type TensorType, type Type } from './types.ts'

const simpleTypes: Readonly<Record<string, SimpleKind>> = {
  int: 'Int',
  SymInt: 'Int',
  float: 'Float',
  complex: 'Complex',
  bool: 'Bool',
  str: 'String',
  NoneType: 'None',
  None: 'None',
  Scalar: 'Number',
  number: 'Number',
  Any: 'Any',
  Device: 'Device',
  Generator: 'Generator',
  Storage: 'Storage',
  Stream: 'Stream',
  QScheme: 'QScheme',
  Capsule: 'Capsule',
  AnyListType: 'AnyList',
  AnyTupleType: 'AnyTuple',
  AnyClassType: 'AnyClass',
  AnyEnumType: 'AnyEnum',
  list: 'AnyList',
  tuple: 'AnyTuple',
}

const generics = new Set(['Dict', 'Union', 'Future', 'RRef', 'Await', 'NamedTuple'])

/** Gives the type of a name that is none of the language's own. */
export type NamedTypes = (name: string) => Type

/**
 * A type as the IR's text spells it: `int[]`, `Tensor?`, `Dict(str, Tensor)`, `(int, Tensor)`,
 * `Float(2, 3, strides=[3, 1], requires_grad=0, device=cpu)`, a class name.
 *
 * @throws IrSyntaxError
 */
export function parseType(cursor: TextCursor, named: NamedTypes): Type {
  let type = cursor.take('(')
    ? tupleOf(cursor.list(')', () => parseType(cursor, named)))
    : parseAtomicType(cursor, () => parseType(cursor, named), named)
  for (;;) {
    if (cursor.match(/\[\]/y) !== undefined) type = listOf(type)
    else if (cursor.take('?')) type = optionalOf(type)
    else return type
  }
}

/** A type without what may follow it (`[]`, `?`) and without an outer parenthesis. */
export function parseAtomicType(cursor: TextCursor, inner: () => Type, named: NamedTypes): Type {
  if (cursor.match(/\.\.\./y) !== undefined) return AnyT
  const name = cursor.identifier('a type')
  const simple = simpleTypes[name]
  if (simple !== undefined) return { kind: simple }
  const opensArguments = cursor.text[cursor.position] === '('
  const dtype = dtypeFromIrName(name)
  if (name === 'Tensor' || (dtype !== undefined && opensArguments)) {
    const base: TensorType = dtype === undefined ? { kind: 'Tensor' } : { kind: 'Tensor', dtype }
    return isShape(cursor) ? parseShape(cursor, base) : base
  }
  if (name === 'Enum' && cursor.take('<')) return parseEnum(cursor)
  if (opensArguments && generics.has(name)) return parseGeneric(cursor, name, inner)
  return name === 'Function' ? { kind: 'Function', name: '' } : named(name)
}

/** `(2, *, strides=…)`: not the alias annotation of a schema, `(a!)`. */
function isShape(cursor: TextCursor): boolean {
  return /^\((?:\d|\*[,)]|requires_grad=|strides=|device=)/.test(
    cursor.text.slice(cursor.position, cursor.position + 20),
  )
}

function parseShape(cursor: TextCursor, base: TensorType): TensorType {
  cursor.expect('(')
  const sizes: (number | null)[] = []
  const known: { -readonly [K in keyof TensorType]?: TensorType[K] } = {}
  cursor.list(')', () => {
    if (cursor.take('strides='))
      known.strides = (cursor.expect('['), cursor.list(']', () => parseDim(cursor)))
    else if (cursor.take('requires_grad=')) known.requiresGrad = parseDim(cursor) === 1
    else if (cursor.take('device='))
      known.device = cursor.match(/\w+(?::\d+)?/y) ?? cursor.fail('expected a device')
    else sizes.push(parseDim(cursor))
  })
  // A scalar has strides too: none.
  const isComplete = known.device !== undefined && known.requiresGrad !== undefined
  return {
    ...base,
    sizes,
    ...(sizes.length === 0 && isComplete && { strides: [] }),
    ...known,
  }
}

function parseDim(cursor: TextCursor): number | null {
  if (cursor.take('*')) return null
  return Number(cursor.match(/\d+/y) ?? cursor.fail(`expected a size but found '${cursor.peekText()}'`))
}

function parseGeneric(cursor: TextCursor, name: string, inner: () => Type): Type {
  cursor.expect('(')
  if (name === 'NamedTuple') return parseNamedTuple(cursor, inner)
  const [first = AnyT, second = AnyT, ...rest] = cursor.list(')', inner)
  switch (name) {
    case 'Dict':
      return { kind: 'Dict', key: first, value: second }
    case 'Union':
      return { kind: 'Union', members: [first, second, ...rest] }
    case 'Future':
    case 'RRef':
      return { kind: name, element: first }
    default:
      return { kind: 'Await', element: first }
  }
}

function parseNamedTuple(cursor: TextCursor, inner: () => Type): Type {
  const fields: string[] = []
  const elements = cursor.list(')', () => {
    fields.push(cursor.identifier('a field name'))
    cursor.expect(':')
    return inner()
  })
  return { kind: 'Tuple', name: 'NamedTuple', fields, elements }
}

function parseEnum(cursor: TextCursor): Type {
  const name = cursor.identifier('an enum')
  cursor.expect('>')
  return { kind: 'Enum', name, valueType: AnyT, members: [] }
}
