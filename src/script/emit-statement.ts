import { attributeOf } from '../ir/graph-editor.ts'
import type { Value } from '../ir/graph.ts'
import { isSubtype } from '../ir/type-relations.ts'
import { printType } from '../ir/type-printer.ts'
import { NoneT, type Type } from '../ir/types.ts'
import { emitBuiltin, unknownOutputs } from './emit-call.ts'
import { asValue, binaryOperator, emitSugared, emitValue } from './emit-expression.ts'
import type { EmitContext } from './emit-context.ts'
import { emitFor, emitIf, emitWhile } from './emit-control-flow.ts'
import { emitSubscriptAssign } from './emit-subscript.ts'
import { convertValue, unpackTuple } from './schema-matcher.ts'
import { valueOf, type Sugared } from './sugared-value.ts'
import type {
  AssertStmt,
  AssignStmt,
  AugmentedAssignStmt,
  Expr,
  Ranged,
  Stmt,
  ValueStmt,
  WithStmt,
} from './syntax.ts'
import { resolveType } from './type-resolver.ts'

/** Emits statements in order; what stands behind a return, raise, break or continue is dropped. */
export function emitStatements(cx: EmitContext, statements: readonly Stmt[]): void {
  for (const statement of statements) emitStatement(cx, statement)
}

function emitStatement(cx: EmitContext, statement: Stmt): void {
  switch (statement.kind) {
    case 'assign': {
      emitAssign(cx, statement)
      return
    }
    case 'augmented-assign': {
      emitAugmentedAssign(cx, statement)
      return
    }
    case 'expr':
      emitSugared(cx, statement.value)
      return
    case 'if': {
      emitIf(cx, statement)
      return
    }
    case 'for': {
      emitFor(cx, statement)
      return
    }
    case 'while': {
      emitWhile(cx, statement)
      return
    }
    case 'with': {
      emitWith(cx, statement)
      return
    }
    case 'raise': {
      emitRaise(cx, statement)
      return
    }
    case 'assert': {
      emitAssert(cx, statement)
      return
    }
    case 'delete': {
      statement.targets.forEach((target) => emitDelete(cx, target))
      return
    }
    case 'pass':
    case 'import':
      return
    default:
      // Archives never hold these: libtorch has turned them into conditions before it wrote the source.
      return cx.fail(`'${statement.kind}' is not supported here`, statement)
  }
}

/** Binds a name; a value without a name of its own takes it. */
function assignName(cx: EmitContext, name: string, sugared: Sugared, at: Ranged, declared?: Type): void {
  const { environment } = cx
  if (sugared.kind === 'value') {
    const { value } = sugared
    cx.expectModestType(value.type, at)
    if (!value.hasDebugName && isMeaningful(name) && value.node.owningBlock === environment.block)
      cx.edit.setDebugName(value, name)
  }
  environment.set(name, sugared, declared)
}

/** Names made by machine, `_0`, are not kept. */
export function isMeaningful(name: string): boolean {
  return !/^_\d*$/.test(name)
}

function emitAssign(cx: EmitContext, { targets, annotation, value, start, end }: AssignStmt): void {
  if (value === undefined) return
  const declared = annotation && resolveType(annotation, (name) => cx.names.findType(name))
  const [target] = targets
  const sugared = emitSugared(cx, value, declared)
  if (targets.length > 1 || target === undefined)
    return cx.fail('chained assignment is not supported', { start, end })
  assign(
    cx,
    target,
    declared === undefined ? sugared : valueOf(declare(cx, asValue(cx, sugared, value), declared, value)),
    { start, end },
    declared,
  )
}

function declare(cx: EmitContext, value: Value, type: Type, at: Ranged): Value {
  const converted = convertValue(cx.edit, cx.range(at), type, value)
  if (isSubtype(converted.type, type)) return converted
  return cx.fail(`a ${printType(converted.type)} is assigned to a variable of type ${printType(type)}`, at)
}

/** Assigns what an expression means to a name, a tuple of targets, an attribute or an element. */
export function assign(cx: EmitContext, target: Expr, sugared: Sugared, at: Ranged, declared?: Type): void {
  switch (target.kind) {
    case 'name': {
      assignName(cx, target.name, sugared, at, declared)
      return
    }
    case 'tuple':
    case 'list': {
      const parts = unpack(cx, sugared, target.elements.length, at)
      target.elements.forEach((element, i) => assign(cx, element, parts[i] as Sugared, at))
      return
    }
    case 'attribute': {
      setAttribute(cx, emitValue(cx, target.value), target.name, asValue(cx, sugared, at), at)
      return
    }
    case 'subscript': {
      emitSubscriptAssign(cx, target, asValue(cx, sugared, at), at)
      return
    }
    default:
      return cx.fail(`cannot assign to a ${target.kind}`, target)
  }
}

function unpack(cx: EmitContext, sugared: Sugared, count: number, at: Ranged): readonly Sugared[] {
  if (sugared.kind === 'tuple') return sugared.elements
  const value = asValue(cx, sugared, at)
  const outputs = unknownOutputs(cx, value, count) ?? unpackValue(cx, value, count, at)
  if (outputs.length !== count)
    return cx.fail(`${outputs.length} values are unpacked to ${count} targets`, at)
  return outputs.map(valueOf)
}

function unpackValue(cx: EmitContext, value: Value, count: number, at: Ranged): readonly Value[] {
  const { type } = value
  if (type.kind === 'Tuple') return unpackTuple(cx.edit, value)
  if (type.kind !== 'List') return cx.fail(`a ${printType(type)} cannot be unpacked`, at)
  const outputs = new Array<Type>(count).fill(type.element)
  return cx.edit.insert('prim::ListUnpack', [value], { outputs }).outputs
}

function setAttribute(cx: EmitContext, object: Value, name: string, value: Value, at: Ranged): void {
  const { type } = object
  const attribute = type.kind === 'Class' ? type.attributes.get(name) : undefined
  if (attribute === undefined)
    return cx.fail(`${printType(type)} has no attribute '${name}' to assign to`, at)
  const converted = declare(cx, value, attribute.type, at)
  const attributes = { name: attributeOf(name) }
  cx.edit.insert('prim::SetAttr', [object, converted], { outputs: [], attributes, range: cx.range(at) })
}

function emitAugmentedAssign(cx: EmitContext, statement: AugmentedAssignStmt): void {
  const { target, operator } = statement
  const current = emitValue(cx, target)
  const operand = emitValue(cx, statement.value)
  const name = binaryOperator(operator)
  if (name === undefined) return cx.fail(`no operator '${operator}='`, statement)
  const isInPlace = current.type.kind === 'Tensor' || (current.type.kind === 'List' && operator === '+')
  const result = emitBuiltin(
    cx,
    isInPlace ? `${name}_` : name,
    { args: [current, operand], kwargs: [] },
    statement,
  )
  // An element of a tensor is a view: the operation has written to it already.
  if (target.kind !== 'subscript' || current.type.kind !== 'Tensor')
    assign(cx, target, valueOf(result), statement)
}

function emitDelete(cx: EmitContext, target: Expr): void {
  if (target.kind === 'name') {
    if (!cx.environment.delete(target.name)) cx.fail(`undefined name '${target.name}'`, target)
  } else if (target.kind === 'subscript' && target.indices[0]) {
    const args = [emitValue(cx, target.value), emitValue(cx, target.indices[0])]
    emitBuiltin(cx, 'aten::Delete', { args, kwargs: [] }, target)
  } else {
    cx.fail(`cannot delete a ${target.kind}`, target)
  }
}

function emitRaise(cx: EmitContext, { value, start, end }: ValueStmt): void {
  const at = { start, end }
  const message =
    value?.kind === 'call' && value.args[0] ? emitValue(cx, value.args[0]) : stringConstant(cx, '', at)
  const name = value?.kind === 'call' && value.callee.kind === 'name' ? value.callee.name : 'Exception'
  raise(cx, message, `builtins.${name}`, at)
}

function stringConstant(cx: EmitContext, text: string, at: Ranged): Value {
  return cx.edit.insertConstant(text, { kind: 'String' }, cx.range(at))
}

function raise(cx: EmitContext, message: Value, className: string, at: Ranged): void {
  const args = [message, stringConstant(cx, className, at)]
  emitBuiltin(cx, 'prim::RaiseException', { args, kwargs: [] }, at)
}

function emitAssert(cx: EmitContext, { condition, message, start, end }: AssertStmt): void {
  const at = { start, end }
  const text: Expr = message ?? { kind: 'string', value: '', ...at }
  const callee: Expr = { kind: 'name', name: 'AssertionError', ...at }
  const value: Expr = { kind: 'call', callee, args: [text], kwargs: [], ...at }
  const raiseStmt: Stmt = { kind: 'raise', value, ...at }
  emitIf(cx, { kind: 'if', condition, body: [], orelse: [raiseStmt], ...at })
}

/** Each item is entered in order and left in reverse. */
function emitWith(cx: EmitContext, { items, body, start, end }: WithStmt): void {
  const range = cx.range({ start, end })
  const entered: Value[] = []
  for (const { context, target } of items) {
    const object = emitValue(cx, context)
    const enter = object.type.kind === 'Class' ? object.type.methods.get('__enter__') : undefined
    const outputs = [enter?.schema.returns[0]?.type ?? NoneT]
    const node = cx.edit.insert('prim::Enter', [object], { outputs, range })
    if (target) assign(cx, target, valueOf(node.output()), target)
    entered.push(object)
  }
  emitStatements(cx, body)
  for (const object of entered.reverse()) cx.edit.insert('prim::Exit', [object], { range })
}
