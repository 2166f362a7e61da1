import { type GraphFunction } from '../ir/graph-function.ts'
import {
  type Complex,
  Device,
  Dict,
  Double,
  EnumValue,
  Future,
  List,
  type OpaqueValue,
  type ScriptObject,
  Tuple,
  type IValue,
} from '../ir/ivalue.ts'
import { type Tensor } from '../tensor/tensor.ts'

/** A value as JavaScript has it; what has no counterpart there stays what it is. */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Tensor
  | Complex
  | ScriptObject
  | OpaqueValue
  | GraphFunction
  | readonly Plain[]
  | PlainRecord
  | ReadonlyMap<Plain, Plain>

export interface PlainRecord {
  readonly [name: string]: Plain
}

/**
 * The plain form of a result: floats are numbers, lists and tuples arrays, NamedTuples and dicts with str keys
 * objects, other dicts Maps, an enum its value, a device its name, a future its result.
 */
export function toPlain(value: IValue): Plain {
  if (value instanceof Double) return value.value
  if (value instanceof List) return value.elements.map(toPlain)
  if (value instanceof Tuple) return plainTuple(value)
  if (value instanceof Dict) return plainDict(value)
  if (value instanceof EnumValue) return toPlain(value.value)
  if (value instanceof Device) return value.toString()
  return value instanceof Future ? toPlain(value.value) : value
}

function plainTuple({ elements, type }: Tuple): Plain {
  const items = elements.map(toPlain)
  const fields = type?.fields
  return fields ? Object.fromEntries(fields.map((name, i) => [name, items[i] ?? null])) : items
}

function plainDict(dict: Dict): Plain {
  const entries = Array.from(dict.entries(), ([key, value]) => [toPlain(key), toPlain(value)] as const)
  return dict.keyType.kind === 'String' ? Object.fromEntries(entries as [string, Plain][]) : new Map(entries)
}
