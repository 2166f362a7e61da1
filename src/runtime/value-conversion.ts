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
import { GraphFunction } from '../ir/graph-function.ts'
import { printType } from '../ir/type-printer.ts'
import { typesEqual, unifyTypes, unshaped } from '../ir/type-relations.ts'
import {
  AnyT,
  StringT,
  TensorT,
  type DictType,
  type EnumType,
  type TupleType,
  type Type,
} from '../ir/types.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { Tensor } from '../tensor/tensor.ts'
import { InputError } from './errors.ts'
import { hasType } from './value-type.ts'

const maximumDepth = 64

/**
 * The value of a TorchScript type that a JavaScript value stands for: numbers by the type (a float is a number too),
 * arrays as lists or tuples, Maps and objects as dicts, null as None; values of the interpreter stay what they are.
 *
 * @param path names the value in errors, `x[2]`
 * @throws InputError
 */
export function toValue(value: unknown, type: Type, path: string, depth = 0): IValue {
  if (depth > maximumDepth) throw new InputError('the value is nested too deeply', { argument: path })
  const converted = convert(value, type, path, depth)
  if (converted !== undefined) return converted
  throw new InputError(`expected ${printType(type)} but found ${describe(value)}`, { argument: path })
}

type Converter<T extends Type> = (value: unknown, type: T, path: string, depth: number) => IValue | undefined

/** Undefined where the value does not fit. */
function convert(value: unknown, type: Type, path: string, depth: number): IValue | undefined {
  switch (type.kind) {
    case 'Optional':
      return value === null || value === undefined ? null : convert(value, type.element, path, depth)
    case 'Union':
      return convertUnion(value, type.members, path, depth)
    case 'List':
      return convertList(value, type, path, depth)
    case 'Tuple':
      return convertTuple(value, type, path, depth)
    case 'Dict':
      return convertDict(value, type, path, depth)
    case 'Any':
      return inferred(value, path, depth)
    case 'Enum':
      return convertEnum(value, type)
    default:
      return convertSimple(value, type)
  }
}

function convertSimple(value: unknown, type: Type): IValue | undefined {
  switch (type.kind) {
    case 'Tensor':
      return value instanceof Tensor && (type.dtype === undefined || value.dtype === type.dtype)
        ? value
        : undefined
    case 'Float':
      return convertFloat(value)
    case 'Int':
      return convertInt(value)
    case 'Number':
      return convertInt(value) ?? convertFloat(value) ?? (value instanceof Complex ? value : undefined)
    case 'None':
      return value === null || value === undefined ? null : undefined
    case 'Device':
      return typeof value === 'string' ? convertDevice(value) : asIs(value, type)
    default:
      return asIs(value, type)
  }
}

function convertFloat(value: unknown): IValue | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return new Double(Number(value))
  return value instanceof Double ? value : undefined
}

function convertInt(value: unknown): IValue | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) return undefined
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function convertDevice(text: string): Device | undefined {
  const match = /^([a-z]+)(?::(\d{1,4}))?$/.exec(text)
  if (match === null) return undefined
  return match[2] === undefined ? new Device(text) : new Device(match[1] ?? '', Number(match[2]))
}

function convertEnum(value: unknown, type: EnumType): IValue | undefined {
  const member = type.members.find(([name]) => name === value)
  return member ? new EnumValue(type, member[0], member[1]) : asIs(value, type)
}

/** A value of the interpreter that has the type already. */
function asIs(value: unknown, type: Type): IValue | undefined {
  return isValue(value) && hasType(value, type) ? value : undefined
}

function isValue(value: unknown): value is IValue {
  if (value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value)) return true
  return [
    Double,
    Complex,
    Tensor,
    List,
    Dict,
    Tuple,
    ScriptObject,
    EnumValue,
    Device,
    Future,
    GraphFunction,
    OpaqueValue,
  ].some((kind) => value instanceof kind)
}

/** The first member that fits as it is, then the first that fits at all. */
function convertUnion(
  value: unknown,
  members: readonly Type[],
  path: string,
  depth: number,
): IValue | undefined {
  for (const member of members) {
    const same = asIs(value, member)
    if (same !== undefined) return same
  }
  for (const member of members) {
    const converted = attempt(() => convert(value, member, path, depth))
    if (converted !== undefined) return converted
  }
  return undefined
}

function attempt(body: () => IValue | undefined): IValue | undefined {
  try {
    return body()
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

const convertList: Converter<Type & { kind: 'List' }> = (value, type, path, depth) => {
  if (value instanceof List) return typesEqual(value.elementType, type.element) ? value : undefined
  if (!Array.isArray(value)) return undefined
  const items = value.map((item, i) => toValue(item, type.element, `${path}[${i}]`, depth + 1))
  return new List(items, type.element)
}

const convertTuple: Converter<TupleType> = (value, type, path, depth) => {
  const items = tupleItems(value, type)
  if (items?.length !== type.elements.length) return undefined
  const elements = type.elements.map((element, i) => toValue(items[i], element, `${path}[${i}]`, depth + 1))
  return new Tuple(elements, type.name === undefined ? undefined : type)
}

/** An array, or an object with the fields of a NamedTuple. */
function tupleItems(value: unknown, type: TupleType): readonly unknown[] | undefined {
  if (value instanceof Tuple) return value.elements
  if (Array.isArray(value)) return value as unknown[]
  const { fields } = type
  if (fields === undefined || !isRecord(value)) return undefined
  return fields.every((name) => Object.hasOwn(value, name)) ? fields.map((name) => value[name]) : undefined
}

const convertDict: Converter<DictType> = (value, type, path, depth) => {
  if (value instanceof Dict) return asIs(value, type)
  const entries = dictEntries(value)
  if (entries === undefined) return undefined
  const dict = new Dict(type.key, type.value)
  for (const [key, item] of entries) {
    const inner = `${path}[${JSON.stringify(String(key))}]`
    dict.set(toValue(key, type.key, inner, depth + 1), toValue(item, type.value, inner, depth + 1))
  }
  return dict
}

function dictEntries(value: unknown): Iterable<readonly [unknown, unknown]> | undefined {
  if (value instanceof Map) return value as ReadonlyMap<unknown, unknown>
  return isRecord(value) ? Object.entries(value) : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isValue(value)
}

/** Without a type to go by: whole numbers are ints, arrays lists where their elements are of one type. */
function inferred(value: unknown, path: string, depth: number): IValue | undefined {
  if (typeof value === 'number') return convertInt(value) ?? new Double(value)
  if (isValue(value)) return value
  const entries = Array.isArray(value) ? undefined : dictEntries(value)
  if (entries) {
    const items = [...entries]
    const keys = items.map(([key]) => toValue(key, AnyT, path, depth + 1))
    const values = items.map(([, item]) => toValue(item, AnyT, path, depth + 1))
    const dict = new Dict(commonType(keys) ?? StringT, commonType(values) ?? AnyT)
    keys.forEach((key, i) => dict.set(key, values[i] ?? null))
    return dict
  }
  if (!Array.isArray(value)) return undefined
  const items = value.map((item, i) => toValue(item, AnyT, `${path}[${i}]`, depth + 1))
  const element = items.length === 0 ? TensorT : commonType(items)
  return element ? new List(items, element) : new Tuple(items)
}

function commonType(values: readonly IValue[]): Type | undefined {
  const [first, ...rest] = values.map(typeOf)
  return rest.reduce<Type | undefined>((a, b) => a && unifyTypes(a, b), first)
}

function typeOf(value: IValue): Type {
  return unshaped(typeOfValue(value))
}

function describe(value: unknown): string {
  if (value instanceof Tensor) return `a tensor of ${value.dtype} [${value.sizes.join(', ')}]`
  if (value === null || value === undefined) return 'None'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return isValue(value) ? printType(typeOf(value)) : `a JavaScript ${typeof value}`
}
