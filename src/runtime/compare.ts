import type { Tensor } from '../tensor/tensor.ts'
import { numbersOf } from './numbers.ts'

export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

/** How one output of two runs differs. */
export interface Comparison {
  readonly name: string
  readonly equal: boolean
  /** Why they cannot be compared by value: missing, other shape, other dtype. */
  readonly reason?: string
  /** Largest absolute difference, and the same relative to the largest magnitude of the first. */
  readonly maxAbsolute: number
  readonly maxRelative: number
  /** Elements that are NaN or infinite on one side and something else on the other. */
  readonly nonFinite: number
  /** The element that differs most; none where all are the same. */
  readonly worst?: WorstElement
}

export interface WorstElement {
  readonly index: readonly number[]
  readonly first: number
  readonly second: number
}

/**
 * Compares outputs by name. An output is equal if no element differs by more than `atol + rtol * max|a|`: the scale is
 * the whole output's, because errors of sums scale with their largest terms. NaN equals NaN.
 */
export function compareOutputs(
  a: ReadonlyMap<string, Tensor>,
  b: ReadonlyMap<string, Tensor>,
  tolerance: Tolerance,
): Comparison[] {
  const names = new Set([...a.keys(), ...b.keys()])
  return [...names].map((name) => {
    const reason = reasonAgainst(a.get(name), b.get(name))
    return reason === undefined
      ? compareTensors(name, a.get(name) as Tensor, b.get(name) as Tensor, tolerance)
      : { name, equal: false, reason, maxAbsolute: Infinity, maxRelative: Infinity, nonFinite: 0 }
  })
}

/** Compares two tensors of the same dtype and sizes. */
export function compareTensors(name: string, a: Tensor, b: Tensor, { rtol, atol }: Tolerance): Comparison {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  let [maxAbsolute, scale, nonFinite, at] = [0, 0, 0, -1]
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [left[i] as number, right[i] as number]
    if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
    if (Object.is(x, y) || x === y) continue
    const difference = Number.isFinite(x) && Number.isFinite(y) ? Math.abs(x - y) : Infinity
    if (difference === Infinity) nonFinite++
    if (difference > maxAbsolute) [maxAbsolute, at] = [difference, i]
  }
  return {
    name,
    equal: maxAbsolute <= atol + rtol * scale,
    maxAbsolute,
    maxRelative: maxAbsolute === 0 ? 0 : maxAbsolute / scale,
    nonFinite,
    ...(at >= 0 && {
      worst: {
        index: indexOf(Math.floor((at * a.numel) / left.length), a.sizes),
        first: left[at] as number,
        second: right[at] as number,
      },
    }),
  }
}

/** The index of an element from its row-major number. */
function indexOf(element: number, sizes: readonly number[]): number[] {
  let rest = element
  return sizes
    .toReversed()
    .map((size) => {
      const index = rest % size
      rest = Math.floor(rest / size)
      return index
    })
    .reverse()
}

/** Why two outputs cannot be compared element by element. */
export function reasonAgainst(a: Tensor | undefined, b: Tensor | undefined): string | undefined {
  if (a === undefined) return 'only the second model has it'
  if (b === undefined) return 'only the first model has it'
  if (a.dtype !== b.dtype) return `dtype ${a.dtype} against ${b.dtype}`
  return a.sizes.join() === b.sizes.join()
    ? undefined
    : `shape [${a.sizes.join()}] against [${b.sizes.join()}]`
}
