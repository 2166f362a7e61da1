import { Dict, Double, List, Tuple, type IValue } from '../../src/ir/ivalue.ts'
import { AnyT, type Type } from '../../src/ir/types.ts'

/** A value as scripts/fixtures/make-scalar-cases.py writes it. */
export type PlainValue =
  | null
  | boolean
  | number
  | string
  | { readonly int: string }
  | { readonly float: string }
  | { readonly list: readonly PlainValue[] }
  | { readonly tuple: readonly PlainValue[] }
  | { readonly dict: readonly (readonly [PlainValue, PlainValue])[] }

export function decodeValue(value: PlainValue, type: Type): IValue {
  if (type.kind === 'Optional') return value === null ? null : decodeValue(value, type.element)
  if (value === null || typeof value !== 'object') return value
  if ('int' in value) return BigInt(value.int)
  if ('float' in value) return new Double(parseDouble(value.float))
  if ('tuple' in value)
    return new Tuple(
      value.tuple.map((item, i) =>
        decodeValue(item, type.kind === 'Tuple' ? (type.elements[i] ?? AnyT) : AnyT),
      ),
    )
  if ('list' in value) {
    const element = type.kind === 'List' ? type.element : AnyT
    return new List(
      value.list.map((item) => decodeValue(item, element)),
      element,
    )
  }
  const [keyType, valueType] = type.kind === 'Dict' ? [type.key, type.value] : [AnyT, AnyT]
  const dict = new Dict(keyType, valueType)
  for (const [key, item] of value.dict) dict.set(decodeValue(key, keyType), decodeValue(item, valueType))
  return dict
}

export function encodeValue(value: IValue): PlainValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value
  if (typeof value === 'bigint') return { int: String(value) }
  if (value instanceof Double) return { float: String(value.value) }
  if (value instanceof List) return { list: value.elements.map(encodeValue) }
  if (value instanceof Tuple) return { tuple: value.elements.map(encodeValue) }
  if (value instanceof Dict)
    return {
      dict: Array.from(value.entries(), ([key, item]) => [encodeValue(key), encodeValue(item)] as const),
    }
  return `a ${value.constructor.name}`
}

function parseDouble(text: string): number {
  return Number(text.replace('inf', 'Infinity'))
}

/** Equal but for the last bits of floats. */
export function agrees(found: PlainValue, expected: PlainValue): boolean {
  if (isFloat(found) && isFloat(expected)) {
    const [a, b] = [parseDouble(found.float), parseDouble(expected.float)]
    return Object.is(a, b) || Math.abs(a - b) <= 1e-13 * Math.abs(b)
  }
  if (Array.isArray(found) && Array.isArray(expected))
    return (
      found.length === expected.length &&
      found.every((item, i) => agrees(item as PlainValue, expected[i] as PlainValue))
    )
  return isRecord(found) && isRecord(expected) ? fieldsAgree(found, expected) : found === expected
}

function fieldsAgree(
  found: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): boolean {
  const names = Object.keys(expected)
  return (
    names.join() === Object.keys(found).join() &&
    names.every((name) => agrees(found[name] as PlainValue, expected[name] as PlainValue))
  )
}

function isFloat(value: PlainValue): value is { readonly float: string } {
  return typeof value === 'object' && value !== null && 'float' in value
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
