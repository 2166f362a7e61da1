import { dtypeFromIrName, type DType } from '../tensor/dtype.ts'
import { LayoutError } from '../tensor/errors.ts'
import { parseLayout } from '../tensor/layout.ts'
import type { TextCursor } from './text-cursor.ts'
import {
  AnyT,
  listOf,
  optionalOf,
  tupleOf,
  type SimpleKind,
  type TensorType,
  type TupleType,
  type Type,
} from './types.ts'

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

const closings: Readonly<Record<string, string>> = { '(': ')', '[': ']' }

/** Gives the type of a name that is none of the language's own. */
export type NamedTypes = (name: string) => Type | undefined

const unknownNames: NamedTypes = () => undefined

/** Types may not be nested deeper, so that no text exhausts the stack. */
const maxDepth = 100

/**
 * Reads a type in the IR's spelling (`int[]`, `Tensor?`, `Dict(str, Tensor)`, `Float(2, 3, device=cpu)`) or in
 * Python's (`List[int]`, `Optional[Tensor]`), and leaves the cursor behind it. A name that `named` does not know
 * becomes an Opaque type, one in lower case without a dot a type variable.
 *
 * @throws IrSyntaxError
 */
export function parseType(cursor: TextCursor, named: NamedTypes = unknownNames): Type {
  return new TypeParser(cursor, named).type()
}

/**
 * A type without what may follow it (`[]`, `?`) and without an outer parenthesis; `inner` reads the types in it.
 * For schemas, whose types carry alias annotations.
 *
 * @throws IrSyntaxError
 */
export function parseAtomicType(
  cursor: TextCursor,
  inner: () => Type,
  named: NamedTypes = unknownNames,
): Type {
  return cursor.take('...') ? AnyT : new TypeParser(cursor, named, inner).atom()
}

class TypeParser {
  readonly #cursor: TextCursor
  readonly #named: NamedTypes
  readonly #inner: () => Type
  #depth = 0

  constructor(cursor: TextCursor, named: NamedTypes, inner?: () => Type) {
    this.#cursor = cursor
    this.#named = named
    this.#inner = inner ?? (() => this.type())
  }

  type(): Type {
    this.#expectDepth(++this.#depth)
    let type = this.#cursor.take('(') ? tupleOf(this.#list(')')) : this.atom()
    this.#depth--
    for (let suffixes = 0; ; suffixes++) {
      this.#expectDepth(suffixes)
      if (this.#cursor.match(/\[\]/y) !== undefined) type = listOf(type)
      else if (this.#cursor.take('?')) type = optionalOf(type)
      else return type
    }
  }

  #expectDepth(depth: number): void {
    if (depth > maxDepth) this.#cursor.fail(`types are nested more than ${maxDepth} deep`)
  }

  atom(): Type {
    const cursor = this.#cursor
    const start = cursor.position
    const name = cursor.identifier('a type')
    if (Object.hasOwn(simpleTypes, name)) return { kind: simpleTypes[name] as SimpleKind }
    const dtype = dtypeFromIrName(name)
    if (name === 'Tensor' || dtype !== undefined) return this.#tensor(dtype)
    if (name === 'Function') return { kind: 'Function', name: '' }
    if (name === 'Enum' && cursor.take('<')) return this.#bracketed('an enum', enumNamed)
    if (name === 'InterfaceType' && cursor.take('<')) return this.#bracketed('an interface', interfaceNamed)
    return this.#generic(name) ?? this.#namedType(name, start)
  }

  #bracketed(what: string, unknown: (name: string) => Type): Type {
    const name = this.#cursor.identifier(what)
    this.#cursor.expect('>')
    return this.#named(name) ?? unknown(name)
  }

  #namedType(name: string, start: number): Type {
    const type = this.#named(name)
    if (type !== undefined) return type
    if (/^[a-z]\w*$/.test(name)) return { kind: 'Var', name }
    if (!/^[\w.]+$/.test(name)) {
      this.#cursor.position = start
      this.#cursor.fail(`expected a type but found '${name}'`)
    }
    return { kind: 'Opaque', name }
  }

  #list(close: string): Type[] {
    return this.#cursor.list(close, this.#inner)
  }

  /** `Dict(…)`, `Future[…]` and so on, with either kind of brackets; undefined if the name is none of these. */
  #generic(name: string): Type | undefined {
    const open = this.#cursor.text[this.#cursor.position] ?? ''
    const close = closings[open]
    if (close === undefined || this.#cursor.text.startsWith('[]', this.#cursor.position)) return undefined
    const build = Object.hasOwn(generics, name) ? generics[name] : undefined
    if (name !== 'NamedTuple' && build === undefined) return undefined
    const start = this.#cursor.position
    this.#cursor.expect(open)
    if (name === 'Tuple' && this.#cursor.take('()')) return (this.#cursor.expect(close), tupleOf([]))
    const type = build ? build(this.#list(close)) : this.#namedTuple(close)
    if (type !== undefined) return type
    this.#cursor.position = start
    return this.#cursor.fail(`wrong number of types in ${name}`)
  }

  #namedTuple(close: string): TupleType {
    const fields: string[] = []
    const elements = this.#cursor.list(close, () => {
      fields.push(this.#cursor.identifier('a field name'))
      this.#cursor.expect(':')
      return this.#inner()
    })
    return { kind: 'Tuple', elements, fields }
  }

  #tensor(dtype: DType | undefined): TensorType {
    const cursor = this.#cursor
    const base: TensorType = { kind: 'Tensor', ...(dtype !== undefined && { dtype }) }
    if (!isShape(cursor)) return base
    cursor.expect('(')
    const sizes: (number | null)[] = []
    const known: { -readonly [K in 'strides' | 'requiresGrad' | 'device']?: TensorType[K] } = {}
    let tag: string | undefined
    let groups: number | undefined
    cursor.list(')', () => {
      if (cursor.take('strides=')) known.strides = (cursor.expect('['), cursor.list(']', () => this.#dim()))
      else if (cursor.take('layout=')) tag = cursor.match(/"[^"\n]*"/y) ?? cursor.fail('expected a layout')
      else if (cursor.take('groups=')) groups = this.#dim() ?? undefined
      else if (cursor.take('requires_grad=')) known.requiresGrad = this.#dim() === 1
      else if (cursor.take('device='))
        known.device = cursor.match(/[a-z]\w*(?::\d+)?/y) ?? cursor.fail('expected a device')
      else sizes.push(this.#dim())
    })
    // Without sizes `Tensor(…)` says nothing of them; `Float(…)` is the text of a scalar.
    const shape = (dtype !== undefined || sizes.length > 0) && { sizes }
    return {
      ...base,
      ...shape,
      ...known,
      ...(tag !== undefined && this.#layout(tag.slice(1, -1), groups, sizes)),
    }
  }

  #layout(tag: string, groups: number | undefined, sizes: readonly unknown[]): Pick<TensorType, 'layout'> {
    const layout = attempt(() => parseLayout(tag, groups))
    if (layout instanceof LayoutError) return this.#cursor.fail(layout.found, layout.advice)
    if (layout.rank === sizes.length) return { layout }
    return this.#cursor.fail(`a tensor of ${sizes.length} axes cannot lie as ${tag}`)
  }

  #dim(): number | null {
    if (this.#cursor.take('*')) return null
    const text = this.#cursor.match(/\d+/y)
    const size = Number(text ?? NaN)
    return Number.isSafeInteger(size)
      ? size
      : this.#cursor.fail(`expected a size but found '${text ?? this.#cursor.peekText()}'`)
  }
}

function attempt<T>(make: () => T): T | LayoutError {
  try {
    return make()
  } catch (error) {
    if (error instanceof LayoutError) return error
    throw error
  }
}

/** `(2, *, strides=…)`: not the alias annotation of a schema, `(a!)`. */
function isShape(cursor: TextCursor): boolean {
  const text = cursor.text.slice(cursor.position, cursor.position + 20)
  return /^\((?:\d|\s*\)|\*\s*[,)]|requires_grad=|strides=|layout=|device=)/.test(text)
}

const generics: Readonly<Record<string, (parts: readonly Type[]) => Type | undefined>> = {
  Dict: ([key, value, ...rest]) =>
    key && value && rest.length === 0 ? { kind: 'Dict', key, value } : undefined,
  Union: (members) => ({ kind: 'Union', members }),
  Tuple: (elements) => tupleOf(elements),
  List: (parts) => only(parts, listOf),
  Optional: (parts) => only(parts, optionalOf),
  Future: (parts) => only(parts, (element) => ({ kind: 'Future', element })),
  Await: (parts) => only(parts, (element) => ({ kind: 'Await', element })),
  RRef: (parts) => only(parts, (element) => ({ kind: 'RRef', element })),
}

function only(parts: readonly Type[], build: (type: Type) => Type): Type | undefined {
  const [first, ...rest] = parts
  return first !== undefined && rest.length === 0 ? build(first) : undefined
}

function enumNamed(name: string): Type {
  return { kind: 'Enum', name, valueType: AnyT, members: [] }
}

function interfaceNamed(name: string): Type {
  return { kind: 'Interface', name, isModule: false, methods: new Map() }
}
