import { bug } from '../errors.ts'
import type { IValue } from '../ir/ivalue.ts'
import { findOperator } from '../ops/index.ts'
import type { Operator } from '../ops/operator.ts'
import type { Storage } from '../tensor/storage.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorsIn } from './value-tensors.ts'

/** Which operators are to be taken apart. */
export type Decomposes = (operator: Operator, args: readonly IValue[]) => boolean

/**
 * Runs an operator as the simpler ones that it is made of.
 *
 * @param result what the operator itself gives: the parts give the same dtype, sizes and strides, in memory of their own
 * @param run one of the parts
 * @returns undefined where the operator cannot be taken apart, or not so
 */
export function takeApart(
  operator: Operator,
  args: readonly IValue[],
  result: Tensor,
  run: (part: Operator, args: readonly IValue[]) => Tensor,
): Tensor | undefined {
  const call = (key: string, ...values: readonly IValue[]): Tensor =>
    run(findOperator(key) ?? bug(`${operator.key} is made of ${key}, which there is not`), values)
  const whole = operator.decompose?.(args, call)
  if (whole?.dtype !== result.dtype || whole.sizes.join() !== result.sizes.join()) return undefined
  const given = new Set<Storage>(args.flatMap((arg) => [...tensorsIn(arg)]).map(({ storage }) => storage))
  if (!given.has(whole.storage) && whole.strides.join() === result.strides.join()) return whole
  return result.isContiguous ? call('aten::clone', whole, 0) : undefined
}
