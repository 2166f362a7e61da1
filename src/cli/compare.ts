import { numbersOf } from './numbers.ts'
import type { Tensor } from '../tensor/tensor.ts'

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
  return [...names].map((name) => compareOne(name, a.get(name), b.get(name), tolerance))
}

function compareOne(
  name: string,
  a: Tensor | undefined,
  b: Tensor | undefined,
  tolerance: Tolerance,
): Comparison {
  const incomparable = reasonAgainst(a, b)
  if (a === undefined || b === undefined || incomparable !== undefined)
    return {
      name,
      equal: false,
      reason: incomparable ?? 'missing',
      maxAbsolute: Infinity,
      maxRelative: Infinity,
    }
  const left = numbersOf(a)
  const right = numbersOf(b)
  let maxAbsolute = 0
  let scale = 0
  for (let i = 0; i < left.length; i++) {
    const x = left[i] as number
    const y = right[i] as number
    if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
    if (Object.is(x, y) || x === y) continue
    const difference = Math.abs(x - y)
    maxAbsolute = Math.max(maxAbsolute, Number.isNaN(difference) ? Infinity : difference)
  }
  const maxRelative = maxAbsolute === 0 ? 0 : maxAbsolute / scale
  return { name, equal: maxAbsolute <= tolerance.atol + tolerance.rtol * scale, maxAbsolute, maxRelative }
}

function reasonAgainst(a: Tensor | undefined, b: Tensor | undefined): string | undefined {
  if (a === undefined) return 'only the second model has it'
  if (b === undefined) return 'only the first model has it'
  if (a.dtype !== b.dtype) return `dtype ${a.dtype} against ${b.dtype}`
  return a.sizes.join() === b.sizes.join()
    ? undefined
    : `shape [${a.sizes.join()}] against [${b.sizes.join()}]`
}
