import { Tensor } from '../tensor/tensor.ts'
import { GraphFunction } from './graph-function.ts'
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
} from './ivalue.ts'
import type { TensorType, Type } from './types.ts'

/** Whether a constant's content may have the type: deep in tuples and optionals, one level into lists. */
export function isOfType(value: IValue, type: Type): boolean {
  switch (type.kind) {
    case 'Any':
    case 'Var':
      return true
    case 'Optional':
      return value === null || isOfType(value, type.element)
    case 'Union':
      return type.members.some((member) => isOfType(value, member))
    case 'Tensor':
      return value instanceof Tensor ? isTensorOfType(value, type) : isUnknown(value, 'Tensor')
    case 'List':
      return isListOfType(value, type.element)
    case 'Dict':
      return value instanceof Dict
    case 'Tuple':
      return isTupleOfType(value, type.elements)
    case 'Class':
      return value instanceof ScriptObject && value.type.name === type.name
    default:
      return kindMatches(value, type)
  }
}

function kindMatches(value: IValue, type: Type): boolean {
  switch (type.kind) {
    case 'Int':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'Float':
      return value instanceof Double
    case 'Complex':
      return value instanceof Complex
    case 'Bool':
      return typeof value === 'boolean'
    case 'String':
      return typeof value === 'string'
    case 'None':
      return value === null
    case 'Number':
      return ['number', 'bigint', 'boolean'].includes(typeof value) || isFloating(value)
    case 'Device':
      return value instanceof Device
    case 'Enum':
      return value instanceof EnumValue && value.type.name === type.name
    case 'Function':
      return value instanceof GraphFunction
    case 'Future':
      return value instanceof Future
    case 'AnyList':
      return value instanceof List
    case 'AnyTuple':
      return value instanceof Tuple
    default:
      return value instanceof ScriptObject || value instanceof OpaqueValue
  }
}

function isFloating(value: IValue): boolean {
  return value instanceof Double || value instanceof Complex
}

/** A `<Tensor>` whose content the text of the graph did not tell. */
function isUnknown(value: IValue, className: string): boolean {
  return value instanceof OpaqueValue && value.className === className
}

function isListOfType(value: IValue, element: Type): boolean {
  if (element.kind === 'Tensor' && isUnknown(value, 'Tensor[]')) return true
  return value instanceof List && value.elements.every((item) => isOfType(item, element))
}

function isTupleOfType(value: IValue, elements: readonly Type[]): boolean {
  return (
    value instanceof Tuple &&
    value.elements.length === elements.length &&
    elements.every((type, i) => isOfType(value.elements[i] ?? null, type))
  )
}

function isTensorOfType(tensor: Tensor, { dtype, sizes, strides, layout }: TensorType): boolean {
  const fits = (actual: readonly number[], stated: readonly (number | null)[] | undefined): boolean =>
    stated === undefined ||
    (stated.length === actual.length && stated.every((size, d) => size === null || size === actual[d]))
  return (
    (dtype === undefined || dtype === tensor.dtype) &&
    fits(tensor.sizes, sizes) &&
    (tensor.layout === undefined ? fits(tensor.strides, strides) : strides === undefined) &&
    (layout === undefined || tensor.layout?.equals(layout) === true)
  )
}
