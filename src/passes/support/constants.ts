import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Value } from '../../ir/graph.ts'
import { GraphFunction } from '../../ir/graph-function.ts'
import {
  Complex,
  Device,
  Dict,
  Double,
  EnumValue,
  Future,
  List,
  OpaqueValue,
  ScriptObject,
  Tuple,
  type IValue,
} from '../../ir/ivalue.ts'
import type { SourceRange } from '../../ir/source-range.ts'
import {
  BoolT,
  ComplexT,
  DeviceT,
  dictOf,
  FloatT,
  IntT,
  listOf,
  NoneT,
  StringT,
  tupleOf,
  type Type,
} from '../../ir/types.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { completeTensorType } from './tensor-type.ts'

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

/** The type that `IValue::type()` gives; tensors with all that is known of them. */
export function typeOfValue(value: IValue): Type {
  if (value === null) return NoneT
  if (typeof value === 'boolean') return BoolT
  if (typeof value === 'number' || typeof value === 'bigint') return IntT
  if (typeof value === 'string') return StringT
  if (value instanceof Double) return FloatT
  if (value instanceof Tensor) return completeTensorType(value)
  if (value instanceof List) return listOf(value.elementType)
  if (value instanceof Tuple) return value.type ?? tupleOf(value.elements.map(typeOfValue))
  if (value instanceof Dict) return dictOf(value.keyType, value.valueType)
  if (value instanceof Complex) return ComplexT
  if (value instanceof Device) return DeviceT
  if (value instanceof ScriptObject || value instanceof EnumValue) return value.type
  if (value instanceof Future) return { kind: 'Future', element: value.elementType }
  if (value instanceof GraphFunction) return { kind: 'Function', name: value.qualifiedName }
  return { kind: 'Opaque', name: value.className }
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
