import { printAnnotation } from './type-printer.ts'
import { unshaped } from './type-relations.ts'
import { AnyT, TensorT, tupleOf, type Type } from './types.ts'

/**
 * The types of what a value of this type may share memory with, Optionals and Unions taken apart and shapes left
 * out; empty for types that cannot be written in place (`MutableTypePtrHelper`, torch/csrc/jit/ir/alias_analysis.cpp).
 */
export function aliasTypes(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'Tensor':
      return tensorOnly
    case 'List':
    case 'Dict':
      return [unshaped(type)]
    case 'Class':
    case 'Interface':
    case 'Opaque':
      return [type]
    case 'Any':
    case 'Var':
    case 'AnyList':
    case 'AnyTuple':
    case 'AnyClass':
      return anything
    case 'Optional':
      return aliasTypes(type.element)
    case 'Union':
      return type.members.flatMap(aliasTypes)
    case 'Future':
    case 'Await':
    case 'RRef': {
      const [first, ...rest] = aliasTypes(type.element)
      if (first === undefined) return []
      return [
        { kind: 'Future', element: rest.length === 0 ? first : { kind: 'Union', members: [first, ...rest] } },
      ]
    }
    case 'Tuple': {
      const elements = type.elements.flatMap(aliasTypes)
      return elements.length === 0 ? [] : [tupleOf(elements)]
    }
    default:
      return nothing
  }
}

const tensorOnly: readonly Type[] = [TensorT]
const anything: readonly Type[] = [AnyT]
const nothing: readonly Type[] = []

/** Whether a value of the type can be written in place, or holds what can (`AliasDb::isMutableType`). */
export function isMutableType(type: Type): boolean {
  switch (type.kind) {
    case 'Tensor':
      return true
    case 'Int':
    case 'Float':
    case 'Bool':
    case 'String':
    case 'None':
      return false
    default:
      return aliasTypes(type).length > 0
  }
}

/** The types of what a value of an alias type holds. */
export function containedTypes(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'List':
    case 'Future':
      return [type.element]
    case 'Dict':
      return [type.key, type.value]
    case 'Tuple':
      return type.elements
    case 'Class':
      return Array.from(type.attributes.values(), (attribute) => attribute.type)
    case 'Any':
    case 'Interface':
      return [AnyT]
    default:
      return []
  }
}

/**
 * Names the wildcard set of an alias type: values of types with the same name may alias once they are in a container
 * or come from outside. Where a graph handles values of unknown type there is only one set.
 */
export function wildcardName(type: Type, hasUnknownTypes: boolean): string {
  return hasUnknownTypes ? '*' : printAnnotation(type)
}

/** Whether a value of this type may be anything or hold anything. */
export function isUnknownType(type: Type): boolean {
  switch (type.kind) {
    case 'Any':
    case 'Var':
    case 'AnyList':
    case 'AnyTuple':
    case 'AnyClass':
    case 'Interface':
      return true
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return isUnknownType(type.element)
    case 'Dict':
      return isUnknownType(type.value)
    case 'Tuple':
      return type.elements.some(isUnknownType)
    case 'Union':
      return type.members.some(isUnknownType)
    default:
      return false
  }
}
