import type { GraphFunction } from '../ir/graph-function.ts'
import { attributeOf } from '../ir/graph-editor.ts'
import type { Node, Value } from '../ir/graph.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import { isSubtype } from '../ir/type-relations.ts'
import { IntT, TensorT, type Type } from '../ir/types.ts'
import { emitSugared, emitTuple, emitValue, emitValues, toBool } from './emit-expression.ts'
import type { EmitContext } from './emit-context.ts'
import { emitSpecialForm } from './emit-special-form.ts'
import { schemasInVersion } from './operator-upgraders.ts'
import { isUnknownOperator, matchSchemas, type CallArguments, type MatchedSchema } from './schema-matcher.ts'
import { valueOf, type Sugared } from './sugared-value.ts'
import type { CallExpr, Ranged } from './syntax.ts'

/** `callee(args)`: the callee is evaluated first, then the arguments from left to right. */
export function emitCall(cx: EmitContext, expr: CallExpr, hint?: Type): Sugared {
  const callee = emitSugared(cx, expr.callee)
  if (callee.kind === 'special') return emitSpecialForm(cx, callee.form, expr, hint)
  if (callee.kind === 'new')
    return valueOf(cx.edit.insert('prim::CreateObject', [], { outputs: [callee.type] }).output())
  if (callee.kind === 'builtin' && callee.name === 'aten::tolist' && callee.self)
    return valueOf(emitToList(cx, callee.self, expr, hint))
  const args = emitValues(cx, expr.args)
  const kwargs = expr.kwargs.map(({ name, value }) => ({ name, value: emitValue(cx, value) }))
  return callSugared(cx, callee, { args, kwargs }, expr)
}

const elementCodes: Readonly<Partial<Record<Type['kind'], number>>> = {
  Int: 0,
  Float: 1,
  Bool: 2,
  Complex: 3,
}

/** `x.tolist()`: the annotation around it says how deep the list is and of what (`Graph::insertToList`). */
function emitToList(cx: EmitContext, tensor: Value, at: Ranged, hint: Type | undefined): Value {
  if (hint === undefined)
    return cx.fail('tolist() needs a type', at, 'write annotate(List[float], x.tolist())')
  let element = hint
  let depth = 0
  for (; element.kind === 'List'; element = element.element) depth++
  const code = elementCodes[element.kind] ?? cx.fail('tolist() gives ints, floats or bools', at)
  const constants = [depth, code].map((value) => cx.edit.insertConstant(value, IntT))
  return cx.edit.insert('prim::tolist', [tensor, ...constants], { outputs: [hint] }).output()
}

function callSugared(cx: EmitContext, callee: Sugared, call: CallArguments, at: Ranged): Sugared {
  switch (callee.kind) {
    case 'builtin':
      return valueOf(emitBuiltin(cx, callee.name, { ...call, self: callee.self }, at))
    case 'function':
      return valueOf(emitFunctionOrMethod(cx, callee.fn, call, at))
    case 'method':
      return valueOf(emitMethodCall(cx, callee.self, callee.name, call, at))
    case 'cast':
      return valueOf(emitCast(cx, callee, call, at))
    case 'named-tuple':
      return valueOf(constructNamedTuple(cx, callee, call, at))
    case 'class':
      return valueOf(constructObject(cx, callee, call, at))
    case 'value':
      return valueOf(emitMethodCall(cx, callee.value, '__call__', call, at))
    default:
      return cx.fail(`a ${callee.kind} cannot be called`, at)
  }
}

/**
 * A call of `aten::add` or another operator: the overload is chosen by the types of the arguments. An operator
 * without a schema, or with none that fits (a newer libtorch may have written the archive), is kept as a node
 * whose call is its schema.
 */
export function emitBuiltin(cx: EmitContext, name: string, call: CallArguments, at: Ranged): Value {
  const schemas = schemasInVersion(name, cx.names.version)
  const range = cx.range(at)
  const match = schemas.length === 0 ? [] : matchSchemas(cx.edit, range, schemas, call)
  // An overload name that nobody has, lest the call be taken for one of the overloads that it does not fit.
  if (!('schema' in match)) return emitUnknown(cx, name, schemas.length === 0 ? '' : 'unmatched', call, at)
  const node = cx.edit.insert(name, match.inputs, { outputs: match.returnTypes, range, schema: match.schema })
  return packOutputs(cx, node)
}

/** Several outputs are handed on as one tuple. */
function packOutputs(cx: EmitContext, node: Node): Value {
  if (node.outputs.length === 1) return node.output()
  if (node.outputs.length === 0) return cx.edit.insertConstant(null, { kind: 'None' }, node.range)
  return emitTuple(cx, node.outputs)
}

function emitUnknown(
  cx: EmitContext,
  name: string,
  overload: string,
  call: CallArguments,
  at: Ranged,
): Value {
  const self = call.self ? [call.self] : []
  const positional = [...self, ...call.args]
  const schema: FunctionSchema = {
    name,
    overload,
    arguments: [
      ...positional.map((value, i) => ({ name: `arg${i}`, type: value.type, kwargOnly: false })),
      ...call.kwargs.map(({ name: keyword, value }) => ({
        name: keyword,
        type: value.type,
        kwargOnly: true,
      })),
    ],
    returns: [{ name: '', type: TensorT, kwargOnly: false }],
    isVararg: true,
    isVarret: true,
  }
  const inputs = [...positional, ...call.kwargs.map(({ value }) => value)]
  return cx.edit.insert(name, inputs, { outputs: [TensorT], range: cx.range(at), schema }).output()
}

/** A call of a function or of a method that is known; its schema says how the arguments bind. */
export function emitFunctionOrMethod(
  cx: EmitContext,
  fn: GraphFunction,
  call: CallArguments,
  at: Ranged,
): Value {
  if (call.self) return emitMethodCall(cx, call.self, fn.name, call, at)
  const range = cx.range(at)
  const match = matchOrFail(cx, fn.schema, call, at)
  const callee = cx.edit.insert('prim::Constant', [], {
    outputs: [{ kind: 'Function', name: fn.qualifiedName }],
    attributes: { name: attributeOf(fn.name), value: attributeOf(fn) },
  })
  const outputs = [match.returnTypes[0] ?? { kind: 'None' as const }]
  return cx.edit.insert('prim::CallFunction', [callee.output(), ...match.inputs], { outputs, range }).output()
}

function matchOrFail(
  cx: EmitContext,
  schema: FunctionSchema,
  call: CallArguments,
  at: Ranged,
): MatchedSchema {
  const match = matchSchemas(cx.edit, cx.range(at), [schema], call)
  return 'schema' in match
    ? match
    : cx.fail(`the arguments do not fit ${schema.name}: ${match.join('; ')}`, at)
}

function emitMethodCall(cx: EmitContext, self: Value, name: string, call: CallArguments, at: Ranged): Value {
  const { type } = self
  if (type.kind === 'Opaque') return emitOpaqueMethodCall(cx, self, name, call, at)
  const schema = type.kind === 'Class' ? type.methods.get(name)?.schema : interfaceSchema(type, name)
  if (schema === undefined) return cx.fail(`'${name}' cannot be called`, at)
  const match = matchOrFail(cx, schema, { args: [self, ...call.args], kwargs: call.kwargs }, at)
  const outputs = [match.returnTypes[0] ?? { kind: 'None' as const }]
  const attributes = { name: attributeOf(name) }
  return cx.edit
    .insert('prim::CallMethod', match.inputs, { outputs, attributes, range: cx.range(at) })
    .output()
}

function interfaceSchema(type: Type, name: string): FunctionSchema | undefined {
  const method = type.kind === 'Interface' ? type.methods.get(name) : undefined
  return (
    method && {
      name,
      overload: '',
      arguments: [
        { name: 'self', type, kwargOnly: false },
        ...method.parameters.map((parameter) => ({ ...parameter, kwargOnly: false })),
      ],
      returns: [{ name: '', type: method.returns, kwargOnly: false }],
      isVararg: false,
      isVarret: false,
    }
  )
}

/** A method of a class implemented in C++: nothing is known of it but the call. */
function emitOpaqueMethodCall(
  cx: EmitContext,
  self: Value,
  name: string,
  call: CallArguments,
  at: Ranged,
): Value {
  const inputs = [self, ...call.args, ...call.kwargs.map(({ value }) => value)]
  const attributes = { name: attributeOf(name) }
  return cx.edit
    .insert('prim::CallMethod', inputs, { outputs: [{ kind: 'Any' }], attributes, range: cx.range(at) })
    .output()
}

function emitCast(
  cx: EmitContext,
  cast: Extract<Sugared, { kind: 'cast' }>,
  call: CallArguments,
  at: Ranged,
): Value {
  const [only] = call.args
  if (only !== undefined && call.args.length === 1 && call.kwargs.length === 0) {
    if (isSubtype(only.type, cast.type)) return only
    if (cast.type.kind === 'Bool') return toBool(cx, only, at)
  }
  return emitBuiltin(cx, cast.operator, call, at)
}

function constructNamedTuple(
  cx: EmitContext,
  { type }: Extract<Sugared, { kind: 'named-tuple' }>,
  call: CallArguments,
  at: Ranged,
): Value {
  const firstDefault = type.elements.length - (type.defaults?.length ?? 0)
  const schema: FunctionSchema = {
    name: type.name ?? '',
    overload: '',
    arguments: type.elements.map((element, i) => {
      const value = type.defaults?.[i - firstDefault]
      return {
        name: type.fields?.[i] ?? '',
        type: element,
        kwargOnly: false,
        ...(value !== undefined && { default: value }),
      }
    }),
    returns: [{ name: '', type, kwargOnly: false }],
    isVararg: false,
    isVarret: false,
  }
  const { inputs } = matchOrFail(cx, schema, call, at)
  return cx.edit.insert('prim::TupleConstruct', inputs, { outputs: [type] }).output()
}

function constructObject(
  cx: EmitContext,
  { type }: Extract<Sugared, { kind: 'class' }>,
  call: CallArguments,
  at: Ranged,
): Value {
  const object = cx.edit.insert('prim::CreateObject', [], { outputs: [type] }).output()
  if (type.methods.has('__init__')) emitMethodCall(cx, object, '__init__', call, at)
  return object
}

/** Several values of one expression, for an unpacking assignment to `count` targets. */
export function unknownOutputs(cx: EmitContext, value: Value, count: number): readonly Value[] | undefined {
  const { node } = value
  if (!isUnknownOperator(node) || node.outputs.length !== 1 || value.uses.length > 0) return undefined
  for (let i = 1; i < count; i++) cx.edit.addOutput(node, TensorT)
  return node.outputs
}
