import type { Value } from '../ir/graph.ts'
import { listOf, NoneT, optionalOf, TensorT, type Type } from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'
import { emitBuiltin } from './emit-call.ts'
import { asValue, emitSugared, emitTuple, emitValue } from './emit-expression.ts'
import type { EmitContext } from './emit-context.ts'
import { unpackTuple } from './schema-matcher.ts'
import { valueOf, type Sugared } from './sugared-value.ts'
import type { Expr, Ranged, SliceExpr, SubscriptExpr } from './syntax.ts'

/** `x[i]`, `x[a:b]`, `x[i, :, None]` (`emitSubscript`, torch/csrc/jit/frontend/ir_emitter.cpp). */
export function emitSubscript(cx: EmitContext, expr: SubscriptExpr): Sugared {
  const sugared = emitSugared(cx, expr.value)
  const [index] = expr.indices
  if (index === undefined) return cx.fail('an index is missing', expr)
  if (sugared.kind === 'tuple' && index.kind === 'int')
    return sugared.elements.at(Number(index.value)) ?? cx.fail('tuple index out of range', expr)
  const object = asValue(cx, sugared, expr.value)
  if (object.type.kind === 'Tensor') return valueOf(emitTensorIndex(cx, object, expr.indices, expr))
  if (expr.indices.length > 1) return cx.fail(`a ${printType(object.type)} takes one index`, expr)
  return valueOf(
    index.kind === 'slice' ? emitSlice(cx, object, index, expr) : emitElement(cx, object, index, expr),
  )
}

function emitElement(cx: EmitContext, object: Value, index: Expr, at: Ranged): Value {
  const position = emitValue(cx, index)
  if (object.type.kind !== 'Tuple')
    return emitBuiltin(cx, 'aten::__getitem__', { args: [object, position], kwargs: [] }, at)
  const { elements } = object.type
  const constant = position.node.kind === 'prim::Constant' ? position.node.attribute('value') : undefined
  const element = typeof constant === 'number' ? elements.at(constant) : elements[0]
  if (element === undefined) return cx.fail(`tuple index out of range for ${printType(object.type)}`, at)
  return cx.edit.insert('prim::TupleIndex', [object, position], { outputs: [element] }).output()
}

function emitSlice(cx: EmitContext, object: Value, slice: SliceExpr, at: Ranged): Value {
  if (object.type.kind === 'Tuple') return emitTupleSlice(cx, object, object.type.elements, slice)
  return emitBuiltin(cx, 'aten::slice', { args: [object, ...bounds(cx, slice)], kwargs: [] }, at)
}

function bounds(cx: EmitContext, slice: SliceExpr): Value[] {
  const none = (): Value => cx.edit.insertConstant(null, NoneT, cx.range(slice))
  const lower = slice.lower ? emitValue(cx, slice.lower) : none()
  const upper = slice.upper ? emitValue(cx, slice.upper) : none()
  return [lower, upper, slice.step ? emitValue(cx, slice.step) : cx.int(1, slice)]
}

function emitTupleSlice(cx: EmitContext, tuple: Value, elements: readonly Type[], slice: SliceExpr): Value {
  const bound = (expr: Expr | undefined): number | undefined =>
    expr === undefined
      ? undefined
      : expr.kind === 'int'
        ? Number(expr.value)
        : cx.fail('a tuple slice needs literal bounds', expr)
  const parts = unpackTuple(cx.edit, tuple).slice(
    bound(slice.lower) ?? 0,
    bound(slice.upper) ?? elements.length,
  )
  return emitTuple(cx, parts)
}

/** One index after the other, each at the dimension it falls on; tensors are gathered and indexed at once. */
function emitTensorIndex(cx: EmitContext, tensor: Value, indices: readonly Expr[], at: Ranged): Value {
  const { value, tensors } = emitViews(cx, tensor, indices, at)
  return tensors === undefined
    ? value
    : emitBuiltin(cx, 'aten::index', { args: [value, tensors], kwargs: [] }, at)
}

/** The view that `x[indices]` begins with, and the list of tensor indices that is left, if any. */
export function emitViews(
  cx: EmitContext,
  tensor: Value,
  indices: readonly Expr[],
  at: Ranged,
): { value: Value; tensors: Value | undefined } {
  const call = (name: string, ...args: Value[]): Value => emitBuiltin(cx, name, { args, kwargs: [] }, at)
  const flat = indices.flatMap((index) => (index.kind === 'tuple' ? index.elements : [index]))
  const tensors: (Value | undefined)[] = []
  let value = tensor
  let dim = 0
  for (const [i, index] of flat.entries()) {
    if (index.kind === 'ellipsis') {
      // Dimensions behind an ellipsis are counted from the end.
      dim = -flat.slice(i + 1).filter((rest) => rest.kind !== 'none').length
    } else if (index.kind === 'slice') {
      value = call('aten::slice', value, cx.int(dim, at), ...bounds(cx, index))
      dim++
    } else if (index.kind === 'none') {
      value = call('aten::unsqueeze', value, cx.int(dim, at))
      dim++
    } else {
      const position = emitValue(cx, index)
      if (position.type.kind === 'Int') value = call('aten::select', value, cx.int(dim, at), position)
      else
        tensors[dim < 0 ? cx.fail('a tensor index behind an ellipsis is not supported', index) : dim++] =
          position
    }
  }
  return { value, tensors: tensors.length === 0 ? undefined : tensorList(cx, tensors, at) }
}

function tensorList(cx: EmitContext, tensors: readonly (Value | undefined)[], at: Ranged): Value {
  const type = optionalOf(TensorT)
  const items = Array.from(tensors, (value) => {
    if (value === undefined) return cx.edit.insertConstant(null, type, cx.range(at))
    return value.type.kind === 'List'
      ? emitBuiltin(cx, 'aten::tensor', { args: [value], kwargs: [] }, at)
      : value
  })
  return cx.edit.insert('prim::ListConstruct', items, { outputs: [listOf(type)] }).output()
}

/** `x[i] = value`, in place. */
export function emitSubscriptAssign(cx: EmitContext, target: SubscriptExpr, value: Value, at: Ranged): void {
  const object = emitValue(cx, target.value)
  const call = (name: string, ...args: Value[]): Value => emitBuiltin(cx, name, { args, kwargs: [] }, at)
  if (object.type.kind !== 'Tensor') {
    const [index] = target.indices
    if (index === undefined || index.kind === 'slice')
      return cx.fail('a slice of a list cannot be assigned to', target)
    call('aten::_set_item', object, emitValue(cx, index), value)
    return
  }
  const { value: view, tensors } = emitViews(cx, object, target.indices, at)
  const source = value.type.kind === 'Tensor' ? value : call('aten::tensor', value)
  if (tensors === undefined) call('aten::copy_', view, source)
  else call('aten::index_put_', view, tensors, source, cx.bool(false, at))
}
