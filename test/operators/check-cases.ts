import { expect, it } from 'vitest'
import { PermafrostError } from '../../src/errors.ts'
import { Device, Double, List, type IValue } from '../../src/ir/ivalue.ts'
import { findOperator } from '../../src/ops/index.ts'
import type { EvaluationContext } from '../../src/ops/operator.ts'
import { isFloating } from '../../src/tensor/dtype.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import {
  decodeArguments,
  decodeNumber,
  isEncodedTensor,
  readCases,
  readElement,
  readElements,
  type Encoded,
  type EncodedTensor,
  type OperatorCase,
} from './operator-case.ts'

/** Where the families' fixtures are. */
export const families = new URL('../fixtures/operators/', import.meta.url)

const context: EvaluationContext = { warn: () => undefined, print: () => undefined, random: () => 0.5 }

/** One test per operator of a family's fixture: each of its calls answers what libtorch answered. */
export function checkCases(family: string): void {
  const byOperator = new Map<string, OperatorCase[]>()
  for (const operatorCase of readCases(family)) {
    const cases = byOperator.get(operatorCase.op)
    if (cases) cases.push(operatorCase)
    else byOperator.set(operatorCase.op, [operatorCase])
  }
  for (const [op, cases] of byOperator)
    it(`${op} answers as libtorch does`, () => {
      for (const operatorCase of cases) checkCase(operatorCase)
    })
}

function checkCase(operatorCase: OperatorCase): void {
  const label = JSON.stringify(operatorCase).slice(0, 1500)
  const operator = findOperator(operatorCase.op)
  if (operator === undefined) return expect.fail(`no operator ${operatorCase.op}`)
  const args = decodeArguments(operator.schema, operatorCase.args)
  const run = (): IValue[] => operator.evaluate(args, context)
  if (operatorCase.error !== undefined) {
    expectRefusal(run, label)
    return
  }
  const results = run()
  const expected = operatorCase.result ?? null
  const actual = results.length === 1 ? results[0]! : new List(results, { kind: 'Any' })
  const tolerance = operatorCase.tolerance ?? 1e-6
  const absolute = operatorCase.absolute ?? 0
  const anyLayout = operatorCase.anyLayout ?? false
  compare(actual, expected, { args, label, tolerance, absolute, anyLayout })
  for (const [index, data] of Object.entries(operatorCase.changed ?? {})) {
    const changed = args[Number(index)] as Tensor
    const stored = data.map((_, i) => readElement(changed, i))
    expectElements(stored, data, {
      args,
      label: `written argument ${index} of ${label}`,
      tolerance,
      absolute,
      anyLayout,
    })
  }
}

function expectRefusal(run: () => unknown, label: string): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(thrown, `is refused: ${label}`).toBeInstanceOf(PermafrostError)
}

/** libtorch rounds some intermediate values to half, and some not: one step is granted. */
const halfSteps: Readonly<Record<string, number>> = { float16: 2 ** -10, bfloat16: 2 ** -7 }

interface Comparison {
  readonly args: readonly IValue[]
  readonly label: string
  readonly tolerance: number
  readonly absolute: number
  readonly anyLayout: boolean
}

function compare(actual: IValue, expected: Encoded, comparison: Comparison): void {
  const { label } = comparison
  if (expected !== null && isEncodedTensor(expected)) {
    compareTensor(actual, expected, comparison)
    return
  }
  if (Array.isArray(expected)) {
    const elements = (actual as List).elements
    expect(elements.length, label).toBe(expected.length)
    expected.forEach((item: Encoded, i) => compare(elements[i] ?? null, item, comparison))
    return
  }
  if (actual instanceof Double) {
    const { float } = expected as { float: number }
    expectElements([actual.value], [float], comparison)
    return
  }
  const plain = actual instanceof Device ? { device: String(actual) } : actual
  expect(typeof plain === 'bigint' ? String(plain) : plain, label).toEqual(expected)
}

function compareTensor(actual: IValue, expected: EncodedTensor, comparison: Comparison): void {
  const { args, label } = comparison
  if (!(actual instanceof Tensor)) return expect.fail(`not a tensor: ${label}`)
  expect(actual.dtype, label).toBe(expected.tensor)
  expect(actual.sizes, label).toEqual(expected.sizes)
  if (actual.numel > 0 && !comparison.anyLayout)
    expect(withoutUnits(actual.sizes, actual.strides), `strides of ${label}`).toEqual(
      withoutUnits(expected.sizes, expected.strides),
    )
  if (expected.alias !== undefined) {
    expect(actual.storage === (args[expected.alias] as Tensor).storage, `shares memory: ${label}`).toBe(true)
    expect(actual.storageOffset, label).toBe(expected.offset)
  } else if (actual.numel > 0) {
    const shares = args.some((arg) => arg instanceof Tensor && arg.storage === actual.storage)
    expect(shares, `has its own memory: ${label}`).toBe(false)
  }
  const tolerance = Math.max(
    isFloating(actual.dtype) ? comparison.tolerance : 0,
    halfSteps[actual.dtype] ?? 0,
  )
  expectElements(readElements(actual), expected.data, { ...comparison, tolerance })
}

/** Strides of the dimensions where they mean something. */
export function withoutUnits(sizes: readonly number[], strides: readonly number[]): number[] {
  return strides.filter((_, dim) => sizes[dim] !== 1)
}

function expectElements(
  actual: readonly (number | bigint)[],
  expected: readonly (number | string)[],
  { label, tolerance, absolute }: Comparison,
): void {
  expect(actual.length, label).toBe(expected.length)
  const wrong = actual.findIndex((value, i) => !agrees(value, expected[i] ?? NaN, tolerance, absolute))
  if (wrong !== -1)
    expect.fail(`element ${wrong} is ${actual[wrong]}, libtorch's is ${expected[wrong]}: ${label}`)
}

export function agrees(
  actual: number | bigint,
  expected: number | string,
  tolerance: number,
  absolute: number,
): boolean {
  if (typeof actual === 'bigint') return actual === BigInt(expected)
  const value = decodeNumber(expected)
  if (Object.is(actual, value) || actual === value) return true
  if (Number.isNaN(value)) return Number.isNaN(actual)
  return Math.abs(actual - value) <= absolute + tolerance * Math.abs(value)
}
