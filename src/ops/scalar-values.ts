import { Complex, Double, type IValue } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import type { Int } from './int64.ts'

export function isInt(value: IValue | undefined): value is Int {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** The int; a bool counts as 0 or 1. @throws OperatorArgumentError for anything else */
export function toInt(value: IValue | undefined): Int {
  if (isInt(value)) return value
  if (typeof value === 'boolean') return Number(value)
  throw new OperatorArgumentError(`expected an int but found ${describeValue(value)}`)
}

/** The int as a number that indexes and counts; the nearest one outside the safe range. */
export function toIndex(value: IValue | undefined): number {
  return Number(toInt(value))
}

/** An int, float or bool as a double. @throws OperatorArgumentError for anything else */
export function toDouble(value: IValue | undefined): number {
  return value instanceof Double ? value.value : Number(toInt(value))
}

export function toText(value: IValue | undefined): string {
  if (typeof value === 'string') return value
  throw new OperatorArgumentError(`expected a str but found ${describeValue(value)}`)
}

export function toComplex(value: IValue | undefined): Complex {
  return value instanceof Complex ? value : new Complex(toDouble(value), 0)
}

/** What kind of value it is, in the words of an error message. */
export function describeValue(value: IValue | undefined): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'string') return 'a str'
  if (typeof value === 'boolean') return 'a bool'
  if (isInt(value)) return 'an int'
  if (value instanceof Double) return 'a float'
  return `a ${value.constructor.name}`
}
