import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Value } from '../../ir/graph.ts'
import { GraphFunction } from '../../ir/graph-function.ts'
import { Dict, Double, Future, List, OpaqueValue, ScriptObject, Tuple, type IValue } from '../../ir/ivalue.ts'
import type { SourceRange } from '../../ir/source-range.ts'
import { type Type } from '../../ir/types.ts'
import { typeOfValue } from '../../ir/type-of-value.ts'
import { Tensor } from '../../tensor/tensor.ts'

/** The content of a `prim::Constant`; undefined for anything else, and for constants that name a function. */
export function constantOf(value: Value): IValue | undefined {
  const { node } = value
  if (node.kind !== 'prim::Constant' || value.type.kind === 'Function') return undefined
  return node.attribute('value') ?? null
}

export function constantBool(value: Value): boolean | undefined {
  const constant = constantOf(value)
  return typeof constant === 'boolean' ? constant : undefined
}

/** A constant int within the safe range. */
export function constantInt(value: Value): number | undefined {
  const constant = constantOf(value)
  return typeof constant === 'number' ? constant : undefined
}

/** The number of a constant int, float or bool. */
export function constantNumber(value: Value): number | undefined {
  const constant = constantOf(value)
  if (constant instanceof Double) return constant.value
  return typeof constant === 'number' || typeof constant === 'boolean' ? Number(constant) : undefined
}

/** Whether the value is None whenever it is computed (`Value::mustBeNone`). */
export function mustBeNone(value: Value): boolean {
  return value.type.kind === 'None' || (value.type.kind === 'Optional' && constantOf(value) === null)
}

/**
 * Whether the value can never be None (`Value::mustNotBeNone`). Unlike libtorch we also count Any among the types
 * that may hold None.
 */
export function mustNotBeNone(value: Value): boolean {
  return !mayHoldNone(value.type)
}

function mayHoldNone(type: Type): boolean {
  if (type.kind === 'Union') return type.members.some(mayHoldNone)
  return type.kind === 'None' || type.kind === 'Optional' || type.kind === 'Any' || type.kind === 'Var'
}

/** Whether `prim::Constant` can hold the value (`insertableIValue`, torch/csrc/jit/ir/constants.cpp). */
export function isInsertable(value: IValue): boolean {
  if (value instanceof Tensor) return !value.requiresGrad
  if (value instanceof List || value instanceof Tuple) return value.elements.every(isInsertable)
  if (value instanceof Dict)
    return [...value.entries()].every(([key, item]) => isInsertable(key) && isInsertable(item))
  return !(
    value instanceof ScriptObject ||
    value instanceof Future ||
    value instanceof GraphFunction ||
    value instanceof OpaqueValue
  )
}

/** Inserts a constant of the value's own type at the insert point; the value must be insertable. */
export function insertValue(edit: GraphEditor, value: IValue, range?: SourceRange): Value {
  return edit.insertConstant(value, typeOfValue(value), range)
}

/** Inserts a constant in front of the user and puts it in the place of `value` everywhere. */
export function replaceByConstant(edit: GraphEditor, value: Value, constant: IValue): void {
  edit.replaceAllUses(value, insertValue(edit, constant))
}
