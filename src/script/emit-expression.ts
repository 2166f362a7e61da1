import type { Value } from '../ir/graph.ts'
import { Complex, Double } from '../ir/ivalue.ts'
import { isSubtype, unifyTypes } from '../ir/type-relations.ts'
import {
  BoolT,
  dictOf,
  FloatT,
  IntT,
  listOf,
  NoneT,
  StringT,
  TensorT,
  tupleOf,
  type Type,
} from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'
import { emitAttribute } from './emit-attribute.ts'
import { emitBuiltin, emitCall } from './emit-call.ts'
import type { EmitContext } from './emit-context.ts'
import { emitComprehension, emitTernary } from './emit-control-flow.ts'
import { emitSubscript } from './emit-subscript.ts'
import { globalNames, valueOf, type Sugared } from './sugared-value.ts'
import { convertValue, unpackTuple } from './schema-matcher.ts'
import type { BinaryExpr, DictExpr, Expr, NameExpr, Ranged, SequenceExpr, UnaryExpr } from './syntax.ts'

/** What the expression means; a value where it is one. `hint` is the type wanted, where the context says. */
export function emitSugared(cx: EmitContext, expr: Expr, hint?: Type): Sugared {
  switch (expr.kind) {
    case 'name':
      return lookUp(cx, expr)
    case 'attribute':
      return emitAttribute(cx, emitSugared(cx, expr.value), expr.name, expr)
    case 'call':
      return emitCall(cx, expr, hint)
    case 'subscript':
      return emitSubscript(cx, expr)
    default:
      return valueOf(emitLiteralOrOperation(cx, expr, hint))
  }
}

/** The expression as a value. */
export function emitValue(cx: EmitContext, expr: Expr, hint?: Type): Value {
  return asValue(cx, emitSugared(cx, expr, hint), expr)
}

function lookUp(cx: EmitContext, { name, start, end }: NameExpr): Sugared {
  const binding = cx.environment.get(name)
  if (binding) return binding.sugared
  if (Object.hasOwn(globalNames, name)) return globalNames[name] as Sugared
  const number = name === 'inf' ? Infinity : name === 'nan' ? NaN : undefined
  if (number !== undefined)
    return valueOf(cx.edit.insertConstant(new Double(number), FloatT, cx.range({ start, end })))
  const fn = cx.names.findFunction(name)
  return fn ? { kind: 'function', fn } : cx.fail(`undefined name '${name}'`, { start, end })
}

/** A value made of what an expression means; fails where it means no value. */
export function asValue(cx: EmitContext, sugared: Sugared, at: Ranged): Value {
  switch (sugared.kind) {
    case 'value':
      return sugared.value
    case 'tuple':
      return emitTuple(
        cx,
        sugared.elements.map((element) => asValue(cx, element, at)),
      )
    case 'function':
      return cx.edit.insertConstant(
        sugared.fn,
        { kind: 'Function', name: sugared.fn.qualifiedName },
        cx.range(at),
      )
    case 'method':
    case 'builtin':
    case 'special':
    case 'cast':
      return cx.fail('a function or method is used as a value', at)
    default:
      return cx.fail(`a ${sugared.kind} is used as a value`, at)
  }
}

export function emitTuple(cx: EmitContext, elements: readonly Value[]): Value {
  const type = tupleOf(elements.map((element) => element.type))
  return cx.edit.insert('prim::TupleConstruct', elements, { outputs: [type] }).output()
}

/** The values of several expressions; `*x` stands for the elements of the tuple x. */
export function emitValues(cx: EmitContext, exprs: readonly Expr[], hint?: Type): Value[] {
  return exprs.flatMap((expr) => {
    if (expr.kind !== 'starred') return [emitValue(cx, expr, hint)]
    const sugared = emitSugared(cx, expr.value)
    if (sugared.kind === 'tuple') return sugared.elements.map((element) => asValue(cx, element, expr))
    const value = asValue(cx, sugared, expr)
    return value.type.kind === 'Tuple'
      ? [...unpackTuple(cx.edit, value)]
      : cx.fail('only a tuple can be unpacked by *', expr)
  })
}

function emitLiteralOrOperation(
  cx: EmitContext,
  expr: Exclude<Expr, { kind: 'name' | 'attribute' | 'call' | 'subscript' }>,
  hint?: Type,
): Value {
  switch (expr.kind) {
    case 'int':
      return cx.int(expr.value, expr)
    case 'float':
      return cx.float(expr.value, expr)
    case 'complex':
      return cx.edit.insertConstant(new Complex(0, expr.imag), { kind: 'Complex' }, cx.range(expr))
    case 'string':
      return cx.edit.insertConstant(expr.value, StringT, cx.range(expr))
    case 'true':
    case 'false':
      return cx.bool(expr.kind === 'true', expr)
    case 'none':
      return cx.edit.insertConstant(null, NoneT, cx.range(expr))
    case 'list':
      return emitList(cx, expr, hint)
    case 'tuple':
      return emitTupleLiteral(cx, expr, hint)
    case 'dict':
      return emitDict(cx, expr, hint)
    case 'unary':
      return emitUnary(cx, expr)
    case 'binary':
      return emitBinary(cx, expr)
    case 'conditional':
      return emitTernary(cx, expr, hint)
    case 'list-comprehension':
    case 'dict-comprehension':
      return emitComprehension(cx, expr, hint)
    default:
      return cx.fail(`unexpected ${expr.kind}`, expr)
  }
}

function emitTupleLiteral(cx: EmitContext, expr: SequenceExpr, hint?: Type): Value {
  const hints =
    hint?.kind === 'Tuple' && hint.elements.length === expr.elements.length ? hint.elements : undefined
  if (hints === undefined) return emitTuple(cx, emitValues(cx, expr.elements))
  return emitTuple(
    cx,
    expr.elements.map((element, i) => emitValue(cx, element, hints[i])),
  )
}

function emitList(cx: EmitContext, expr: SequenceExpr, hint?: Type): Value {
  const wanted = hint?.kind === 'Optional' ? hint.element : hint
  const elementHint = wanted?.kind === 'List' ? wanted.element : undefined
  const values = emitValues(cx, expr.elements, elementHint)
  const element = elementHint ?? unifyAll(cx, values, expr)
  const elements = values.map((value) => convertValue(cx.edit, cx.range(expr), element, value))
  for (const value of elements)
    if (!isSubtype(value.type, element))
      cx.fail(`a list of ${printType(element)} cannot hold a ${printType(value.type)}`, expr)
  return cx.edit.insert('prim::ListConstruct', elements, { outputs: [listOf(element)] }).output()
}

function unifyAll(cx: EmitContext, values: readonly Value[], at: Ranged): Type {
  let type: Type | undefined
  for (const value of values) {
    const unified: Type | undefined = type === undefined ? value.type : unifyTypes(type, value.type)
    type = unified ?? cx.fail('the elements of a list literal have no common type', at, 'annotate the list')
  }
  return type ?? TensorT
}

function emitDict(cx: EmitContext, expr: DictExpr, hint?: Type): Value {
  const wanted = hint?.kind === 'Dict' ? hint : undefined
  const keys = emitValues(cx, expr.keys, wanted?.key)
  const values = emitValues(cx, expr.values, wanted?.value)
  const key = wanted?.key ?? (keys.length === 0 ? StringT : unifyAll(cx, keys, expr))
  const value = wanted?.value ?? unifyAll(cx, values, expr)
  const inputs = keys.flatMap((k, i) => [k, values[i] as Value])
  return cx.edit.insert('prim::DictConstruct', inputs, { outputs: [dictOf(key, value)] }).output()
}

const unaryOperators = { '-': 'aten::neg', '~': 'aten::bitwise_not', not: 'aten::__not__', '+': '' } as const

function emitUnary(cx: EmitContext, expr: UnaryExpr): Value {
  const operand = emitValue(cx, expr.operand)
  if (expr.operator === '+') return operand
  const value = expr.operator === 'not' ? toBool(cx, operand, expr) : operand
  return emitBuiltin(cx, unaryOperators[expr.operator], { args: [value], kwargs: [] }, expr)
}

const binaryOperators: Readonly<Record<string, string>> = {
  '+': 'aten::add',
  '-': 'aten::sub',
  '*': 'aten::mul',
  '/': 'aten::div',
  '//': 'aten::floordiv',
  '%': 'aten::remainder',
  '**': 'aten::pow',
  '@': 'aten::matmul',
  '&': 'aten::__and__',
  '|': 'aten::__or__',
  '^': 'aten::__xor__',
  '<<': 'aten::__lshift__',
  '>>': 'aten::__rshift__',
  '<': 'aten::lt',
  '>': 'aten::gt',
  '<=': 'aten::le',
  '>=': 'aten::ge',
  '==': 'aten::eq',
  '!=': 'aten::ne',
  is: 'aten::__is__',
  'is not': 'aten::__isnot__',
}

/** The operator of `a + b` and its like; of `a += b` too. */
export function binaryOperator(operator: string): string | undefined {
  return binaryOperators[operator]
}

function emitBinary(cx: EmitContext, expr: BinaryExpr): Value {
  if (expr.operator === 'and' || expr.operator === 'or') return emitTernary(cx, shortCircuit(expr), BoolT)
  if (expr.operator === 'in' || expr.operator === 'not in') {
    const item = emitValue(cx, expr.left)
    const contains = emitBuiltin(
      cx,
      'aten::__contains__',
      { args: [emitValue(cx, expr.right), item], kwargs: [] },
      expr,
    )
    return expr.operator === 'in'
      ? contains
      : emitBuiltin(cx, 'aten::__not__', { args: [contains], kwargs: [] }, expr)
  }
  const left = emitValue(cx, expr.left)
  const args = [left, emitValue(cx, expr.right)]
  return emitBuiltin(
    cx,
    binaryOperators[expr.operator] ?? cx.fail(`no operator '${expr.operator}'`, expr),
    { args, kwargs: [] },
    expr,
  )
}

/** `a and b` is `b if a else False`; `a or b` is `True if a else b`. */
function shortCircuit(expr: BinaryExpr): Extract<Expr, { kind: 'conditional' }> {
  const { start, end, left: condition, right } = expr
  return expr.operator === 'and'
    ? {
        kind: 'conditional',
        condition,
        whenTrue: right,
        whenFalse: { kind: 'false', start, end },
        start,
        end,
      }
    : { kind: 'conditional', condition, whenTrue: { kind: 'true', start, end }, whenFalse: right, start, end }
}

/** The value as a condition: `bool()` of it where it is none. */
export function toBool(cx: EmitContext, value: Value, at: Ranged): Value {
  if (value.type.kind === 'Bool') return value
  if (value.type.kind === 'List' || value.type.kind === 'String' || value.type.kind === 'Dict') {
    const length = emitBuiltin(cx, 'aten::len', { args: [value], kwargs: [] }, at)
    return emitBuiltin(cx, 'aten::gt', { args: [length, cx.edit.insertConstant(0, IntT)], kwargs: [] }, at)
  }
  return emitBuiltin(cx, 'aten::Bool', { args: [value], kwargs: [] }, at)
}
