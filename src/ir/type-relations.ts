import type { ClassType } from './class-type.ts'
import {
  listOf,
  optionalOf,
  TensorT,
  tupleOf,
  type InterfaceType,
  type TensorType,
  type TupleType,
  type Type,
} from './types.ts'

/** Structural equality; classes by identity, refined tensors field by field. */
export function typesEqual(a: Type, b: Type): boolean {
  if (a === b) return true
  switch (a.kind) {
    case 'Tensor':
      return b.kind === 'Tensor' && refines(a, b) && refines(b, a)
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return b.kind === a.kind && typesEqual(a.element, b.element)
    case 'Dict':
      return b.kind === 'Dict' && typesEqual(a.key, b.key) && typesEqual(a.value, b.value)
    case 'Tuple':
      return b.kind === 'Tuple' && a.name === b.name && allEqual(a.elements, b.elements)
    case 'Union':
      return b.kind === 'Union' && sameMembers(a.members, b.members)
    case 'Var':
    case 'Function':
    case 'Enum':
    case 'Interface':
    case 'Opaque':
      return b.kind === a.kind && a.name === b.name
    case 'Class':
      return false
    default:
      return a.kind === b.kind
  }
}

function allEqual(a: readonly Type[], b: readonly Type[]): boolean {
  return a.length === b.length && a.every((type, i) => typesEqual(type, b[i] as Type))
}

function sameMembers(a: readonly Type[], b: readonly Type[]): boolean {
  return a.length === b.length && a.every((type) => b.some((other) => typesEqual(type, other)))
}

/** Whether everything that `b` states of a tensor, `a` states too. */
function refines(a: TensorType, b: TensorType): boolean {
  const dims = (mine?: readonly (number | null)[], theirs?: readonly (number | null)[]): boolean =>
    theirs === undefined ||
    (mine?.length === theirs.length && theirs.every((size, i) => size === null || size === mine[i]))
  return (
    (b.dtype === undefined || a.dtype === b.dtype) &&
    (b.requiresGrad === undefined || a.requiresGrad === b.requiresGrad) &&
    (b.device === undefined || a.device === b.device) &&
    dims(a.sizes, b.sizes) &&
    dims(a.strides, b.strides) &&
    (b.layout === undefined || a.layout?.equals(b.layout) === true)
  )
}

/** Containers are invariant, but what is known of a tensor's shape does not count there. */
function equalUnshaped(a: Type, b: Type): boolean {
  return typesEqual(unshaped(a), unshaped(b))
}

/** The type without what is known of tensors' shapes. */
export function unshaped(type: Type): Type {
  switch (type.kind) {
    case 'Tensor':
      return TensorT
    case 'List':
    case 'Optional':
      return { kind: type.kind, element: unshaped(type.element) }
    case 'Dict':
      return { kind: 'Dict', key: type.key, value: unshaped(type.value) }
    case 'Tuple':
      return { ...type, elements: type.elements.map(unshaped) }
    default:
      return type
  }
}

/**
 * Whether a value of type `sub` may stand where `sup` is expected (`Type::isSubtypeOf`): None and T in Optional[T],
 * numbers in Scalar, tuples by element, classes in interfaces, anything in Any; lists and dicts are invariant.
 */
export function isSubtype(sub: Type, sup: Type): boolean {
  if (sub === sup || sup.kind === 'Any') return true
  if (sub.kind === 'Optional')
    return sup.kind === 'Optional'
      ? isSubtype(sub.element, sup.element)
      : sup.kind === 'Union' && sup.members.some((m) => m.kind === 'None') && isSubtype(sub.element, sup)
  if (sub.kind === 'Union') return sub.members.every((member) => isSubtype(member, sup))
  if (sup.kind === 'Optional') return sub.kind === 'None' || isSubtype(sub, sup.element)
  if (sup.kind === 'Union') return sup.members.some((member) => isSubtype(sub, member))
  return isSubtypeOfPlain(sub, sup)
}

/** Neither is an Optional or a Union. */
function isSubtypeOfPlain(sub: Type, sup: Type): boolean {
  switch (sub.kind) {
    case 'Tensor':
      return sup.kind === 'Tensor' && refines(sub, sup)
    case 'Int':
    case 'Float':
    case 'Complex':
      return sup.kind === sub.kind || sup.kind === 'Number'
    case 'List':
      return sup.kind === 'AnyList' || (sup.kind === 'List' && equalUnshaped(sub, sup))
    case 'Dict':
      return sup.kind === 'Dict' && equalUnshaped(sub, sup)
    case 'Tuple':
      return sup.kind === 'AnyTuple' || (sup.kind === 'Tuple' && isSubtuple(sub, sup))
    case 'Class':
      return sup.kind === 'AnyClass' || (sup.kind === 'Interface' && implementsInterface(sub, sup))
    case 'Enum':
      return sup.kind === 'AnyEnum' || typesEqual(sub, sup)
    case 'Future':
    case 'Await':
    case 'RRef':
      return sup.kind === sub.kind && isSubtype(sub.element, sup.element)
    default:
      return typesEqual(sub, sup)
  }
}

function isSubtuple(sub: TupleType, sup: TupleType): boolean {
  if (sub.elements.length !== sup.elements.length) return false
  if (sup.fields !== undefined && sub.fields?.join() !== sup.fields.join()) return false
  return sub.elements.every((type, i) => isSubtype(type, sup.elements[i] as Type))
}

function implementsInterface(type: ClassType, target: InterfaceType): boolean {
  for (const method of target.methods.keys()) if (!type.methods.has(method)) return false
  return true
}

/**
 * The type of a variable that is an `a` on one path and a `b` on the other (`unifyTypes`), or undefined.
 *
 * @param defaultToUnion make a Union where nothing closer fits
 */
export function unifyTypes(a: Type, b: Type, defaultToUnion = false): Type | undefined {
  if (isSubtype(a, b)) return b
  if (isSubtype(b, a)) return a
  if (a.kind === 'Tensor' && b.kind === 'Tensor') return TensorT
  if (a.kind === 'None') return optionalOf(b)
  if (b.kind === 'None') return optionalOf(a)
  if (a.kind === 'Optional' || b.kind === 'Optional') {
    const element = unifyTypes(withoutOptional(a), withoutOptional(b), defaultToUnion)
    if (element) return optionalOf(element)
  }
  if (a.kind === 'Tuple' && b.kind === 'Tuple' && a.elements.length === b.elements.length) {
    const elements = a.elements.map((type, i) => unifyTypes(type, b.elements[i] as Type))
    if (elements.every((type) => type !== undefined)) return tupleOf(elements)
  }
  if (a.kind === 'Future' && b.kind === 'Future') {
    const element = unifyTypes(a.element, b.element)
    if (element) return { kind: 'Future', element }
  }
  return defaultToUnion ? { kind: 'Union', members: [...members(a), ...members(b)] } : undefined
}

function members(type: Type): readonly Type[] {
  return type.kind === 'Union' ? type.members : [type]
}

export function withoutOptional(type: Type): Type {
  return type.kind === 'Optional' ? type.element : type
}

export type TypeEnvironment = Map<string, Type>

/**
 * Binds the type variables of `formal` so that it fits `actual` (`matchTypeVariables`,
 * aten/src/ATen/core/type.cpp). Without variables it always succeeds: whether the types fit is asked afterwards.
 *
 * @returns false if a variable would need two types, or a container is missing
 */
export function matchTypeVariables(formal: Type, actual: Type, env: TypeEnvironment): boolean {
  if (!hasVariables(formal)) return true
  switch (formal.kind) {
    case 'Var':
      return bindVariable(formal.name, actual, env)
    case 'List':
      if (actual.kind === 'List') return matchTypeVariables(formal.element, actual.element, env)
      return actual.kind === 'Tuple' && matchTuple(formal.element, actual, env)
    case 'Optional':
      if (actual.kind === 'None') return true
      return matchTypeVariables(formal.element, withoutOptional(actual), env)
    case 'Future':
    case 'Await':
    case 'RRef':
      return actual.kind === formal.kind && matchTypeVariables(formal.element, actual.element, env)
    case 'Dict':
      return (
        actual.kind === 'Dict' &&
        matchTypeVariables(formal.key, actual.key, env) &&
        matchTypeVariables(formal.value, actual.value, env)
      )
    case 'Tuple':
      return (
        actual.kind === 'Tuple' &&
        actual.elements.length === formal.elements.length &&
        formal.elements.every((element, i) => matchTypeVariables(element, actual.elements[i] as Type, env))
      )
    default:
      return false
  }
}

function bindVariable(name: string, actual: Type, env: TypeEnvironment): boolean {
  const bound = env.get(name)
  const unified = bound === undefined ? actual : unifyTypes(bound, actual)
  if (unified === undefined) return false
  env.set(name, unified)
  return true
}

function matchTuple(element: Type, actual: TupleType, env: TypeEnvironment): boolean {
  const [first, ...rest] = actual.elements
  if (first === undefined) return false
  const unified = rest.reduce<Type | undefined>((a, b) => a && unifyTypes(a, b), first)
  return unified !== undefined && matchTypeVariables(element, unified, env)
}

export function hasVariables(type: Type): boolean {
  switch (type.kind) {
    case 'Var':
      return true
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return hasVariables(type.element)
    case 'Dict':
      return hasVariables(type.key) || hasVariables(type.value)
    case 'Tuple':
      return type.elements.some(hasVariables)
    default:
      return false
  }
}

/** `formal` with its variables replaced; undefined if one is unbound. */
export function substituteVariables(formal: Type, env: TypeEnvironment): Type | undefined {
  if (!hasVariables(formal)) return formal
  switch (formal.kind) {
    case 'Var':
      return env.get(formal.name)
    case 'List': {
      const element = substituteVariables(formal.element, env)
      return element && listOf(element)
    }
    case 'Optional': {
      const element = substituteVariables(formal.element, env)
      return element && optionalOf(element)
    }
    case 'Future':
    case 'Await':
    case 'RRef': {
      const element = substituteVariables(formal.element, env)
      return element && { kind: formal.kind, element }
    }
    case 'Dict': {
      const key = substituteVariables(formal.key, env)
      const value = substituteVariables(formal.value, env)
      return key && value && { kind: 'Dict', key, value }
    }
    case 'Tuple': {
      const elements = formal.elements.map((element) => substituteVariables(element, env))
      return elements.every((type) => type !== undefined) ? tupleOf(elements) : undefined
    }
    default:
      return formal
  }
}
