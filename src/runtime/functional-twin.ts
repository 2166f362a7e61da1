import type { IValue } from '../ir/ivalue.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import { findOperator } from '../ops/index.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Environment } from './environment.ts'

/**
 * The name of an in-place operator without its underscore, where that gives the same as is written to the whole of `target`,
 * at which nothing else looks.
 */
export function functionalTwin(
  schema: FunctionSchema,
  args: readonly IValue[],
  target: Tensor,
  environment: Environment,
): string | undefined {
  if (target.byteLength !== target.storage.byteLength || !schema.name.endsWith('_')) return undefined
  const name = schema.name.slice(0, -1)
  const operator = findOperator(schema.overload === '' ? name : `${name}.${schema.overload}`)
  if (operator?.schema.arguments.length !== schema.arguments.length) return undefined
  const [result] = operator.evaluate(args, environment)
  const same =
    result instanceof Tensor &&
    result.dtype === target.dtype &&
    result.sizes.join() === target.sizes.join() &&
    result.strides.join() === target.strides.join()
  return same ? name : undefined
}
