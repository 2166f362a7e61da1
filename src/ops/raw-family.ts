import { defineRawOp, type EvaluationContext, type Operator, type OperatorTraits } from './operator.ts'
import type { IValue } from '../ir/ivalue.ts'

export type RawKernel = (
  args: readonly IValue[],
  context: EvaluationContext,
) => IValue | readonly IValue[] | void

/** One kernel under many schemas: the interpreter's values say which case it is. */
export function rawFamily(texts: readonly string[], raw: RawKernel, traits: OperatorTraits = {}): Operator[] {
  return texts.map((text) => defineRawOp(text, { ...traits, raw }))
}

/** The kernels of a table whose keys are schema texts. */
export function rawTable(table: Readonly<Record<string, RawKernel>>): Operator[] {
  return Object.entries(table).map(([text, raw]) => defineRawOp(text, { raw }))
}

/** The text once for each word, which takes the place of `KEY`. */
export function forEach(words: readonly string[], text: string): string[] {
  return words.map((word) => text.replaceAll('KEY', word))
}

/** Overload names and operand types of the operators on two numbers. */
const numberPairs = [
  ['.int', 'int', 'int'],
  ['.float', 'float', 'float'],
  ['.int_float', 'int', 'float'],
  ['.float_int', 'float', 'int'],
  ['', 'Scalar', 'Scalar'],
] as const

const complexPairs = [
  ['.complex', 'complex', 'complex'],
  ['.int_complex', 'int', 'complex'],
  ['.complex_int', 'complex', 'int'],
  ['.float_complex', 'float', 'complex'],
  ['.complex_float', 'complex', 'float'],
] as const

type ResultRule = 'promoted' | 'float' | 'bool'

interface PairOptions {
  readonly complex?: boolean
  /** Overload name of the Scalar pair where it is not empty. */
  readonly scalar?: string
  readonly names?: readonly [string, string]
}

/** Schema texts of an operator on two numbers, over all pairs of number types. */
export function numberPairTexts(name: string, result: ResultRule, options: PairOptions = {}): string[] {
  const [a, b] = options.names ?? ['a', 'b']
  const pairs = options.complex === true ? [...numberPairs, ...complexPairs] : numberPairs
  return pairs.map(([overload, left, right]) => {
    const suffix = overload === '' && options.scalar !== undefined ? `.${options.scalar}` : overload
    return `${name}${suffix}(${left} ${a}, ${right} ${b}) -> ${resultType(result, left, right)}`
  })
}

function resultType(rule: ResultRule, left: string, right: string): string {
  if (rule === 'bool') return 'bool'
  if (left === 'complex' || right === 'complex') return 'complex'
  if (rule === 'float') return 'float'
  return left === right ? left : 'float'
}

/** Schema texts of an operator on one number. */
export function numberTexts(
  name: string,
  result: { readonly int: string; readonly float: string },
): string[] {
  return [
    `${name}.int(int a) -> ${result.int}`,
    `${name}.float(float a) -> ${result.float}`,
    `${name}.Scalar(Scalar a) -> Scalar`,
  ]
}
