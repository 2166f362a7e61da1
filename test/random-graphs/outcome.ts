import { PermafrostError } from '../../src/errors.ts'
import { Dict, Double, List, ScriptObject, Tuple, type IValue } from '../../src/ir/ivalue.ts'
import { createEnvironment } from '../../src/runtime/environment.ts'
import { RaisedException } from '../../src/runtime/errors.ts'
import { offsetsOf } from '../../src/passes/support/fold-tensors.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'

/** A number as it is, a tensor as its description and its elements: all that two runs are compared by. */
export type Observed = string | { readonly tensor: string; readonly elements: readonly number[] }

/** What a run shows to its caller: the text of an exception in place of a result. */
export type Outcome = readonly (readonly [what: string, value: Observed])[]

export function observe(value: IValue, what: string): Outcome {
  if (value instanceof Tensor) return [[what, observeTensor(value)]]
  if (value instanceof List || value instanceof Tuple)
    return [
      [`${what} length`, String(value.elements.length)],
      ...value.elements.flatMap((item, i) => observe(item, `${what}[${i}]`)),
    ]
  if (value instanceof Dict)
    return [...value.entries()].flatMap(([key, item]) => observe(item, `${what}[${simpleText(key)}]`))
  if (value instanceof ScriptObject)
    return [...value.slots].flatMap(([name, item]) => observe(item, `${what}.${name}`))
  return [[what, simpleText(value)]]
}

/** Numbers, bools, text and None. */
function simpleText(value: IValue): string {
  if (value instanceof Double) return `float ${value.value}`
  return typeof value === 'object' && value !== null ? value.constructor.name : String(value)
}

function observeTensor(tensor: Tensor): Observed {
  const { data } = tensor
  const elements = [...offsetsOf(tensor)].map((offset) => Number(data[offset]))
  return { tensor: `${tensor.dtype}[${tensor.sizes.join()}]`, elements }
}

/** Calls one method with arguments in order. */
export type Call = (method: string, args: readonly IValue[], print: (text: string) => void) => IValue

interface Calls {
  readonly methods: readonly string[]
  readonly call: Call
}

/**
 * Calls the methods one after the other on arguments of their own and tells what they give, print and do to their
 * arguments; at the end what has become of the first results, which may share memory with the module.
 *
 * @throws PermafrostError for all errors but those that the program raises itself
 */
export function runCalls({ methods, call }: Calls): Outcome {
  const outcome: (readonly [string, Observed])[] = []
  const results: IValue[] = []
  for (const [i, method] of methods.entries()) {
    const args = argumentsOf(i)
    const print = (text: string): void => void outcome.push([`${method} prints`, text])
    try {
      const result = call(method, args, print)
      results.push(result)
      outcome.push(...observe(result, `${method} (call ${i})`))
    } catch (error) {
      if (!(error instanceof RaisedException)) throw error
      outcome.push([`${method} raises`, `${error.exceptionClass}: ${error.exceptionMessage}`])
    }
    outcome.push(...args.flatMap((arg, k) => observe(arg, `argument ${k} after call ${i}`)))
  }
  outcome.push(...results.flatMap((result, i) => observe(result, `result ${i} in the end`)))
  return outcome
}

function argumentsOf(call: number): IValue[] {
  return [noise([1, 4, 4, 4], 70 + call), noise([4, 4], 80 + call), call + 1, call % 2 === 0]
}

/** No program of ours takes long; one that a pass broke may. */
export function boundedEnvironment(print: (text: string) => void): ReturnType<typeof createEnvironment> {
  return createEnvironment({ print, limits: { steps: 100_000 } })
}

/** The first difference, in words; undefined if there is none. @param tolerance relative to each tensor's largest */
export function firstDifference(expected: Outcome, found: Outcome, tolerance: number): string | undefined {
  for (const [i, [what, value]] of expected.entries()) {
    const [otherWhat, other] = found[i] ?? ['nothing', 'nothing']
    if (what !== otherWhat) return `${what} was expected but found ${otherWhat}`
    const difference = differenceOf(value, other, tolerance)
    if (difference !== undefined) return `${what}: ${difference}`
  }
  return found.length > expected.length ? `unexpected ${found[expected.length]?.[0] ?? ''}` : undefined
}

function differenceOf(expected: Observed, found: Observed, tolerance: number): string | undefined {
  if (typeof expected === 'string' || typeof found === 'string')
    return expected === found ? undefined : `${printed(expected)} became ${printed(found)}`
  if (expected.tensor !== found.tensor) return `${expected.tensor} became ${found.tensor}`
  const largest = Math.max(1e-6, ...expected.elements.map(Math.abs))
  // `x + 0` is x to libtorch's peephole as to ours, and keeps a sign that the sum would lose: zeros are one.
  const near = (a: number, b: number): boolean =>
    Object.is(a, b) || a === b || (tolerance > 0 && Math.abs(a - b) <= tolerance * largest)
  const at = expected.elements.findIndex((element, i) => !near(element, found.elements[i] ?? NaN))
  return at === -1
    ? undefined
    : `element ${at} was ${expected.elements[at] ?? ''} and is ${found.elements[at] ?? ''}`
}

function printed(value: Observed): string {
  return typeof value === 'string' ? value : value.tensor
}

/** Whether numbers are so large that rounding shows anywhere. */
export function isWild(outcome: Outcome): boolean {
  return outcome.some(
    ([, value]) => typeof value !== 'string' && value.elements.some((element) => !(Math.abs(element) < 1e4)),
  )
}

export function isOurs(error: unknown): error is PermafrostError {
  return error instanceof PermafrostError
}
