import {
  AnyT,
  dictOf,
  listOf,
  optionalOf,
  TensorT,
  tupleOf,
  type SimpleKind,
  type Type,
} from '../ir/types.ts'
import { ScriptCompileError } from './errors.ts'
import type { Expr, SubscriptExpr } from './syntax.ts'

const simpleNames: Readonly<Record<string, SimpleKind>> = {
  int: 'Int',
  float: 'Float',
  complex: 'Complex',
  bool: 'Bool',
  str: 'String',
  None: 'None',
  NoneType: 'None',
  number: 'Number',
  Scalar: 'Number',
  Any: 'Any',
  Device: 'Device',
  Generator: 'Generator',
  Storage: 'Storage',
  Stream: 'Stream',
  QScheme: 'QScheme',
  Capsule: 'Capsule',
  list: 'AnyList',
  tuple: 'AnyTuple',
  ClassType: 'AnyClass',
}

/** Answers for qualified class names; undefined if there is no such class. */
export type NamedTypeLookup = (qualifiedName: string) => Type | undefined

/** `a.b.c` as text; undefined if the expression is no dotted name. */
export function dottedName(expr: Expr): string | undefined {
  if (expr.kind === 'name') return expr.name
  if (expr.kind !== 'attribute') return undefined
  const prefix = dottedName(expr.value)
  return prefix === undefined ? undefined : `${prefix}.${expr.name}`
}

/**
 * The type that an annotation names, `Optional[List[int]]`, `__torch__.a.B`
 * (torch/csrc/jit/frontend/script_type_parser.cpp).
 *
 * @throws ScriptCompileError for a name that is no type
 */
export function resolveType(expr: Expr, lookup: NamedTypeLookup): Type {
  if (expr.kind === 'none') return { kind: 'None' }
  if (expr.kind === 'subscript') return resolveGeneric(expr, lookup)
  // An unquoted annotation of libtorch may be quoted by people.
  const name = expr.kind === 'string' ? expr.value : dottedName(expr)
  if (name === undefined) throw new ScriptCompileError('an annotation is no type')
  if (name === 'Tensor' || name === 'torch.Tensor') return TensorT
  if (Object.hasOwn(simpleNames, name)) return { kind: simpleNames[name] as SimpleKind }
  const named = lookup(name)
  if (named === undefined)
    throw new ScriptCompileError(`unknown type '${name}'`, {}, 'the archive holds no class of that name')
  return named
}

function resolveGeneric(expr: SubscriptExpr, lookup: NamedTypeLookup): Type {
  const args = expr.indices.flatMap((index) => (index.kind === 'tuple' ? index.elements : [index]))
  const types = args.map((arg) => resolveType(arg, lookup))
  const [first = AnyT, second = AnyT] = types
  const name = dottedName(expr.value)
  switch (name) {
    case 'List':
      return listOf(first)
    case 'Dict':
      return dictOf(first, second)
    case 'Optional':
      return optionalOf(first)
    case 'Tuple':
      return tupleOf(types)
    case 'Union':
      return unionOf(types)
    case 'Final':
      return first
    case 'Future':
    case 'RRef':
    case 'Await':
      return { kind: name, element: first }
    default:
      throw new ScriptCompileError(`unknown generic type '${name ?? 'of an expression'}'`)
  }
}

/** A Union of T and None is an Optional; a Union of one type is that type. */
function unionOf(types: readonly Type[]): Type {
  const rest = types.filter((type) => type.kind !== 'None')
  const [only] = rest
  if (rest.length === 1 && only !== undefined) return rest.length < types.length ? optionalOf(only) : only
  return { kind: 'Union', members: types }
}
