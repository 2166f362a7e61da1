import type { Value } from '../ir/graph.ts'
import { isSubtype } from '../ir/type-relations.ts'
import { BoolT, dictOf, IntT, listOf, StringT, TensorT, type Type } from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'
import { emitAttribute } from './emit-attribute.ts'
import { emitBuiltin } from './emit-call.ts'
import { asValue, emitSugared, emitValue, emitValues } from './emit-expression.ts'
import type { EmitContext } from './emit-context.ts'
import { emitFork } from './emit-fork.ts'
import { convertValue } from './schema-matcher.ts'
import { valueOf, type Iterable_, type SpecialForm, type Sugared } from './sugared-value.ts'
import type { CallExpr, Expr, Ranged } from './syntax.ts'
import { resolveType } from './type-resolver.ts'

type Emitter = (cx: EmitContext, call: CallExpr, hint: Type | undefined) => Sugared

const forms: Readonly<Record<SpecialForm, Emitter>> = {
  annotate: (cx, call) => {
    const type = typeArgument(cx, call, 0)
    return valueOf(annotated(cx, type, emitValue(cx, argument(cx, call, 1), type), call))
  },
  unchecked_cast: (cx, call) => {
    const value = emitValue(cx, argument(cx, call, 1))
    return valueOf(insertTyped(cx, 'prim::unchecked_cast', [value], typeArgument(cx, call, 0), call))
  },
  uninitialized: (cx, call) =>
    valueOf(insertTyped(cx, 'prim::Uninitialized', [], typeArgument(cx, call, 0), call)),
  getattr: (cx, call) => {
    const name = argument(cx, call, 1)
    if (name.kind !== 'string') return cx.fail('getattr needs a string literal', name)
    return emitAttribute(cx, emitSugared(cx, argument(cx, call, 0)), name.value, call)
  },
  hasattr: (cx, call) => {
    const name = argument(cx, call, 1)
    const { type } = emitValue(cx, argument(cx, call, 0))
    const has =
      name.kind === 'string' &&
      type.kind === 'Class' &&
      (type.attributes.has(name.value) || type.methods.has(name.value))
    return valueOf(cx.bool(has, call))
  },
  isinstance: (cx, call) => valueOf(emitIsInstance(cx, call).value),
  fork: (cx, call) => valueOf(emitFork(cx, call)),
  range: (cx, call) => ({ kind: 'iterable', iterable: rangeOver(cx, emitValues(cx, call.args), call) }),
  enumerate: (cx, call) => ({
    kind: 'iterable',
    iterable: enumerated(iterableOf(cx, emitSugared(cx, argument(cx, call, 0)), call)),
  }),
  zip: (cx, call) => ({
    kind: 'iterable',
    iterable: zipped(
      cx,
      call.args.map((arg) => iterableOf(cx, emitSugared(cx, arg), arg)),
      call,
    ),
  }),
  list: (cx, call, hint) => valueOf(emitListForm(cx, call, hint)),
  dict: (cx, call, hint) => valueOf(emitDictForm(cx, call, hint)),
  tuple: (cx, call) => {
    const value = emitValue(cx, argument(cx, call, 0))
    return value.type.kind === 'Tuple' ? valueOf(value) : cx.fail('tuple() needs a tuple', call)
  },
  print: (cx, call) => {
    cx.edit.insert('prim::Print', emitValues(cx, call.args), { outputs: [], range: cx.range(call) })
    return valueOf(cx.edit.insertConstant(null, { kind: 'None' }, cx.range(call)))
  },
}

/** A call of one of the names that are part of the language. */
export function emitSpecialForm(cx: EmitContext, form: SpecialForm, call: CallExpr, hint?: Type): Sugared {
  return forms[form](cx, call, hint)
}

function argument(cx: EmitContext, call: CallExpr, i: number): Expr {
  return call.args[i] ?? cx.fail(`argument ${i + 1} is missing`, call)
}

function typeArgument(cx: EmitContext, call: CallExpr, i: number): Type {
  return resolveType(argument(cx, call, i), (name) => cx.names.findType(name))
}

function insertTyped(cx: EmitContext, kind: string, inputs: readonly Value[], type: Type, at: Ranged): Value {
  return cx.edit.insert(kind, inputs, { outputs: [type], range: cx.range(at) }).output()
}

/** The value as `type`; a None keeps the Optional that it is annotated with. */
function annotated(cx: EmitContext, type: Type, value: Value, at: Ranged): Value {
  const converted = convertValue(cx.edit, cx.range(at), type, value)
  if (!isSubtype(converted.type, type))
    cx.fail(`expected ${printType(type)} but found ${printType(converted.type)}`, at)
  return converted.type.kind === 'None' && type.kind !== 'None'
    ? cx.edit.insertConstant(null, type, cx.range(at))
    : converted
}

/** `isinstance(x, (A, B))`: decided here where the static type says so, else by a node. */
export function emitIsInstance(cx: EmitContext, call: CallExpr): { value: Value; static?: boolean } {
  const value = emitValue(cx, argument(cx, call, 0))
  const classes = argument(cx, call, 1)
  const exprs = classes.kind === 'tuple' ? classes.elements : [classes]
  const types = exprs.map((expr) => resolveType(expr, (name) => cx.names.findType(name)))
  const actual = alternatives(value.type)
  const matching = actual.filter((type) => types.some((wanted) => isSubtype(type, wanted)))
  const isOpen = actual.some(
    (type) => type.kind === 'Any' || type.kind === 'Number' || type.kind === 'Interface',
  )
  if (!isOpen && (matching.length === 0 || matching.length === actual.length)) {
    const result = matching.length > 0
    return { value: cx.bool(result, call), static: result }
  }
  const node = cx.edit.insert('prim::isinstance', [value], {
    outputs: [BoolT],
    attributes: { types: { kind: 'types', types } },
    range: cx.range(call),
  })
  return { value: node.output() }
}

function alternatives(type: Type): readonly Type[] {
  if (type.kind === 'Optional') return [...alternatives(type.element), { kind: 'None' }]
  return type.kind === 'Union' ? type.members : [type]
}

/** What a `for` can run over. */
export function iterableOf(cx: EmitContext, sugared: Sugared, at: Ranged): Iterable_ {
  if (sugared.kind === 'iterable') return sugared.iterable
  const value = asValue(cx, sugared, at)
  const call = (name: string, ...args: Value[]): Value => emitBuiltin(cx, name, { args, kwargs: [] }, at)
  switch (value.type.kind) {
    case 'List':
    case 'String':
      return {
        length: () => call('aten::len', value),
        element: (index) => valueOf(call('aten::__getitem__', value, index)),
      }
    case 'Tensor':
      return {
        length: () => call('aten::len', value),
        element: (index) => valueOf(call('aten::select', value, cx.int(0, at), index)),
      }
    case 'Dict': {
      const keys = call('aten::keys', value)
      return {
        length: () => call('aten::len', keys),
        element: (index) => valueOf(call('aten::__getitem__', keys, index)),
      }
    }
    default:
      return cx.fail(`a ${printType(value.type)} cannot be iterated over`, at)
  }
}

/** `range(end)` counts by itself; with a start or a step the counter is computed in the loop. */
function rangeOver(cx: EmitContext, bounds: readonly Value[], at: Ranged): Iterable_ {
  const call = (name: string, args: readonly Value[]): Value =>
    emitBuiltin(cx, name, { args, kwargs: [] }, at)
  const ints = bounds.map((bound) => convertValue(cx.edit, cx.range(at), IntT, bound))
  const [first, second] = ints
  if (first === undefined || ints.length > 3) return cx.fail('range takes 1 to 3 arguments', at)
  if (second === undefined) return { length: () => first, element: valueOf }
  const step = ints[2] ?? cx.edit.insertConstant(1, IntT, cx.range(at))
  return {
    length: () => call('aten::__range_length', [first, second, step]),
    element: (index) => valueOf(call('aten::__derive_index', [index, first, step])),
  }
}

function enumerated(inner: Iterable_): Iterable_ {
  return {
    length: () => inner.length(),
    element: (index) => ({ kind: 'tuple', elements: [valueOf(index), inner.element(index)] }),
  }
}

function zipped(cx: EmitContext, parts: readonly Iterable_[], at: Ranged): Iterable_ {
  return {
    length: () => {
      const lengths = parts.map((part) => part.length())
      const list = cx.edit.insert('prim::ListConstruct', lengths, { outputs: [listOf(IntT)] }).output()
      return emitBuiltin(cx, 'prim::min', { args: [list], kwargs: [] }, at)
    },
    element: (index) => ({ kind: 'tuple', elements: parts.map((part) => part.element(index)) }),
  }
}

function emitListForm(cx: EmitContext, call: CallExpr, hint?: Type): Value {
  if (call.args.length === 0) {
    const type = hint?.kind === 'List' ? hint : listOf(TensorT)
    return cx.edit.insert('prim::ListConstruct', [], { outputs: [type] }).output()
  }
  const value = emitValue(cx, argument(cx, call, 0))
  if (value.type.kind === 'Tuple')
    return convertValue(cx.edit, cx.range(call), listOf(value.type.elements[0] ?? TensorT), value)
  return emitBuiltin(cx, 'aten::list', { args: [value], kwargs: [] }, call)
}

function emitDictForm(cx: EmitContext, call: CallExpr, hint?: Type): Value {
  if (call.args.length === 0) {
    const type = hint?.kind === 'Dict' ? hint : dictOf(StringT, TensorT)
    return cx.edit.insert('prim::DictConstruct', [], { outputs: [type] }).output()
  }
  return emitBuiltin(cx, 'aten::dict', { args: [emitValue(cx, argument(cx, call, 0))], kwargs: [] }, call)
}
