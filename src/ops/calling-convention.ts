import { Double, List, type IValue } from '../ir/ivalue.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import type { Type } from '../ir/types.ts'
import { stridedOperand } from './packed-operands.ts'
import type { KernelResult } from './schema-types.ts'

/**
 * Unpacks interpreter values for a kernel, by the schema's types: a float becomes a number, a list its elements
 * (a list of ints without a copy), an int outside the safe range the nearest number, a tensor with a layout strided.
 *
 * @throws LayoutError as `stridedOperand`
 */
export function bindArguments(schema: FunctionSchema, args: readonly IValue[]): Record<string, unknown> {
  const bound: Record<string, unknown> = {}
  schema.arguments.forEach((argument, i) => {
    bound[argument.name] = unpack(argument.type, stridedOperand(args[i] ?? null, argument))
  })
  return bound
}

function unpack(type: Type, value: IValue): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'Optional':
      return unpack(type.element, value)
    case 'Float':
      return value instanceof Double ? value.value : Number(value)
    case 'Int':
      return typeof value === 'bigint' ? Number(value) : value
    case 'List':
      if (!(value instanceof List)) return [unpack(type.element, value)]
      return needsUnpacking(type.element)
        ? value.elements.map((item) => unpack(type.element, item))
        : value.elements
    default:
      return value
  }
}

function needsUnpacking(type: Type): boolean {
  return (
    type.kind === 'Float' ||
    type.kind === 'List' ||
    (type.kind === 'Optional' && needsUnpacking(type.element))
  )
}

/** The interpreter values of a kernel's result, one per return of the schema. */
export function wrapResult(schema: FunctionSchema, result: KernelResult): IValue[] {
  const { returns } = schema
  const [single] = returns
  if (single === undefined) return []
  if (returns.length === 1) return [wrap(single, result)]
  const results = result as readonly KernelResult[]
  return returns.map((argument, i) => wrap(argument, results[i]))
}

function wrap(argument: Argument, result: KernelResult): IValue {
  return wrapAs(argument.type, result)
}

function wrapAs(type: Type, result: KernelResult): IValue {
  if (result === null || result === undefined) return null
  if (type.kind === 'Optional') return wrapAs(type.element, result)
  if (type.kind === 'Float') return typeof result === 'number' ? new Double(result) : (result as IValue)
  if (type.kind === 'List' && Array.isArray(result))
    return new List(
      (result as KernelResult[]).map((item) => wrapAs(type.element, item)),
      type.element,
    )
  return result as IValue
}
