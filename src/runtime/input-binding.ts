import type { IValue } from '../ir/ivalue.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import { printType } from '../ir/type-printer.ts'
import { InputError } from './errors.ts'
import { toValue } from './value-conversion.ts'

/** Arguments by position, by name, or both: positions first. */
export interface Inputs {
  readonly positional?: readonly unknown[]
  readonly named?: Readonly<Record<string, unknown>>
}

/**
 * One value per argument of a method's schema (`self` left out), made of plain JavaScript values by the arguments'
 * types; defaults where nothing is given.
 *
 * @throws InputError for too many, a missing or an unknown argument, or one of another type
 */
export function bindInputs(schema: FunctionSchema, inputs: Inputs): IValue[] {
  const { positional = [], named = {} } = inputs
  const formals = parametersOf(schema)
  if (positional.length > formals.length)
    throw new InputError(
      `${schema.name} takes ${count(formals.length)} but ${positional.length} were given`,
      {},
      signature(schema),
    )
  const unknown = Object.keys(named).find((name) => !formals.some((formal) => formal.name === name))
  if (unknown !== undefined)
    throw new InputError(`${schema.name} has no argument '${unknown}'`, {}, signature(schema))
  return formals.map((formal, i) => bind(schema, formal, i, positional, named))
}

/** The arguments that a caller gives: all but a method's `self`. */
export function parametersOf(schema: FunctionSchema): readonly Argument[] {
  const [first] = schema.arguments
  const isSelf = first !== undefined && (first.name === 'self' || first.type.kind === 'Class')
  return isSelf ? schema.arguments.slice(1) : schema.arguments
}

function bind(
  schema: FunctionSchema,
  formal: Argument,
  i: number,
  positional: readonly unknown[],
  named: Readonly<Record<string, unknown>>,
): IValue {
  const isNamed = Object.hasOwn(named, formal.name)
  if (i < positional.length) {
    if (isNamed) throw new InputError(`argument '${formal.name}' is given twice`, {}, signature(schema))
    return toValue(positional[i], formal.type, formal.name)
  }
  if (isNamed) return toValue(named[formal.name], formal.type, formal.name)
  if (formal.default !== undefined) return formal.default
  throw new InputError(`argument '${formal.name}' of ${schema.name} is missing`, {}, signature(schema))
}

function count(n: number): string {
  return n === 1 ? '1 argument' : `${n} arguments`
}

function signature(schema: FunctionSchema): string {
  const parts = parametersOf(schema).map(({ name, type }) => `${name}: ${printType(type)}`)
  return `it is called as ${schema.name}(${parts.join(', ')})`
}
