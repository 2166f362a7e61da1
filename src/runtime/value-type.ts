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
} from '../ir/ivalue.ts'
import { isSubtype, typesEqual } from '../ir/type-relations.ts'
import { AnyT, type SimpleKind, type Type } from '../ir/types.ts'
import { isInt } from '../ops/scalar-values.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * Whether a value is of a type while the model runs. Of lists and dicts their declared element types count, not
 * what happens to be in them; of tensors, nothing but being one.
 */
export function hasType(value: IValue, type: Type): boolean {
  switch (type.kind) {
    case 'Tensor':
      return value instanceof Tensor
    case 'Optional':
      return value === null || hasType(value, type.element)
    case 'Union':
      return type.members.some((member) => hasType(value, member))
    case 'List':
      return value instanceof List && typesEqual(value.elementType, type.element)
    case 'Dict':
      return (
        value instanceof Dict &&
        typesEqual(value.keyType, type.key) &&
        typesEqual(value.valueType, type.value)
      )
    case 'Tuple':
      return value instanceof Tuple && isTupleOf(value, type)
    case 'Class':
    case 'Interface':
      return value instanceof ScriptObject && isSubtype(value.type, type)
    case 'Enum':
      return value instanceof EnumValue && value.type.name === type.name
    case 'Opaque':
      return value instanceof OpaqueValue && value.className === type.name
    case 'Future':
    case 'Await':
    case 'RRef':
      return value instanceof Future
    default:
      return isSimple(value, type.kind)
  }
}

function isTupleOf(value: Tuple, type: Type & { kind: 'Tuple' }): boolean {
  if (type.name !== undefined && value.type?.name !== type.name) return false
  return (
    value.elements.length === type.elements.length &&
    value.elements.every((element, i) => hasType(element, type.elements[i] ?? AnyT))
  )
}

const simpleTests: Partial<Record<SimpleKind, (value: IValue) => boolean>> = {
  Int: isInt,
  Float: (value) => value instanceof Double,
  Complex: (value) => value instanceof Complex,
  Bool: (value) => typeof value === 'boolean',
  String: (value) => typeof value === 'string',
  None: (value) => value === null,
  Number: (value) => isInt(value) || value instanceof Double || value instanceof Complex,
  Any: () => true,
  Device: (value) => value instanceof Device,
  AnyList: (value) => value instanceof List,
  AnyTuple: (value) => value instanceof Tuple,
  AnyClass: (value) => value instanceof ScriptObject,
  AnyEnum: (value) => value instanceof EnumValue,
}

function isSimple(value: IValue, kind: string): boolean {
  return simpleTests[kind as SimpleKind]?.(value) ?? false
}
