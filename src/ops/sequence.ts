import { invariant } from '../errors.ts'
import { Dict, List, type IValue } from '../ir/ivalue.ts'
import { IndexOutOfRangeError, OperatorArgumentError } from './errors.ts'
import { describeValue, toIndex } from './scalar-values.ts'

/** Longer lists and strings are refused rather than left to exhaust memory. */
export const maximumLength = 2 ** 27

/** @throws OperatorArgumentError beyond `maximumLength` */
export function checkLength(length: number): number {
  if (length > maximumLength)
    throw new OperatorArgumentError(
      `a list or string of ${length} elements is too long (at most ${maximumLength})`,
    )
  return length
}

export function toList(value: IValue | undefined): List {
  if (value instanceof List) return value
  throw new OperatorArgumentError(`expected a list but found ${describeValue(value)}`)
}

export function toDict(value: IValue | undefined): Dict {
  if (value instanceof Dict) return value
  throw new OperatorArgumentError(`expected a dict but found ${describeValue(value)}`)
}

/**
 * The position that an index names, counted from the end if negative.
 *
 * @throws IndexOutOfRangeError
 */
export function checkedIndex(value: IValue | undefined, length: number, what: string): number {
  const index = toIndex(value)
  const position = index < 0 ? index + length : index
  if (position < 0 || position >= length)
    throw new IndexOutOfRangeError(`${what} index out of range: ${index} of ${length}`)
  return position
}

/** Positions of `[start:end:step]`, as Python's `slice.indices`. @throws OperatorArgumentError for a step of 0 */
export function slicePositions(length: number, args: readonly IValue[]): number[] {
  const [start = null, end = null, stepValue = null] = args
  const step = stepValue === null ? 1 : toIndex(stepValue)
  if (step === 0) throw new OperatorArgumentError('slice step must not be zero', { argument: 'step' })
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1]
  const bound = (value: IValue, otherwise: number): number => {
    if (value === null) return otherwise
    const index = toIndex(value)
    return Math.max(lowest, Math.min(highest, index < 0 ? index + length : index))
  }
  const from = bound(start, step > 0 ? lowest : highest)
  const to = bound(end, step > 0 ? highest : lowest)
  const positions: number[] = []
  for (let i = from; step > 0 ? i < to : i > to; i += step) positions.push(i)
  invariant(positions.length <= length, 'a slice is longer than its list')
  return positions
}
