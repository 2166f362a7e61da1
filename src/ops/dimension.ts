import { OperatorArgumentError } from './errors.ts'

/**
 * A dimension counted from the front; negative ones count from the back. A tensor without dimensions has one for
 * this purpose.
 *
 * @throws OperatorArgumentError with the legal range
 */
export function wrapDimension(dim: number, rank: number): number {
  const range = Math.max(rank, 1)
  if (dim < -range || dim >= range)
    throw new OperatorArgumentError(
      `dimension out of range (expected to be in range of [${-range}, ${range - 1}], but got ${dim})`,
    )
  return dim < 0 ? dim + range : dim
}

/** Several dimensions, each counted from the front, none twice. None or an empty list means all. */
export function wrapDimensions(dims: readonly number[] | null, rank: number): number[] {
  if (dims === null || dims.length === 0) return Array.from({ length: rank }, (_, dim) => dim)
  const wrapped = dims.map((dim) => wrapDimension(dim, rank))
  const repeated = wrapped.find((dim, i) => wrapped.indexOf(dim) !== i)
  if (repeated !== undefined)
    throw new OperatorArgumentError(`dim ${repeated} appears multiple times in the list of dims`)
  return rank === 0 ? [] : wrapped
}
