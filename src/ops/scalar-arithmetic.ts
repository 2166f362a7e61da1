import { Complex, Double, type IValue } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import {
  addInt,
  absInt,
  floorDivInt,
  gcdInt,
  intFromDouble,
  moduloInt,
  mulInt,
  negInt,
  powInt,
  subInt,
  truncDivInt,
  type Int,
} from './int64.ts'
import type { Operator } from './operator.ts'
import { numberPairTexts, numberTexts, rawFamily, rawTable, type RawKernel } from './raw-family.ts'
import { isInt, toComplex, toDouble, toInt } from './scalar-values.ts'

interface NumberCases {
  /** Left out where ints are computed as doubles. */
  readonly int?: (a: Int, b: Int) => IValue
  readonly float: (a: number, b: number) => number
  readonly complex?: (a: Complex, b: Complex) => Complex
}

/** A kernel on two numbers: int on ints, complex if one is, double otherwise. */
function onNumbers(cases: NumberCases): RawKernel {
  const { int, float, complex } = cases
  return ([a, b]) => {
    if (int && isIntegral(a) && isIntegral(b)) return int(toInt(a), toInt(b))
    if (complex && (a instanceof Complex || b instanceof Complex)) return complex(toComplex(a), toComplex(b))
    return new Double(float(toDouble(a), toDouble(b)))
  }
}

function isIntegral(value: IValue | undefined): boolean {
  return isInt(value) || typeof value === 'boolean'
}

/** C's `fmod(b + fmod(a, b), b)`: the sign of the divisor, NaN for an infinite one. */
export function moduloDouble(a: number, b: number): number {
  return (b + (a % b)) % b
}

function powDouble(a: number, b: number): number {
  if (a === 0 && b < 0) throw new OperatorArgumentError('0.0 cannot be raised to a negative power')
  // C's pow(±1, ±inf) and pow(1, nan) are 1, JavaScript's are NaN.
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1
  return a ** b
}

function divideComplex(a: Complex, b: Complex): Complex {
  const norm = b.real * b.real + b.imag * b.imag
  return new Complex((a.real * b.real + a.imag * b.imag) / norm, (a.imag * b.real - a.real * b.imag) / norm)
}

const complexToo = { complex: true }

const binary: readonly Operator[] = [
  rawFamily(
    numberPairTexts('aten::add', 'promoted', complexToo),
    onNumbers({
      int: addInt,
      float: (a, b) => a + b,
      complex: (a, b) => new Complex(a.real + b.real, a.imag + b.imag),
    }),
  ),
  rawFamily(
    numberPairTexts('aten::sub', 'promoted', complexToo),
    onNumbers({
      int: subInt,
      float: (a, b) => a - b,
      complex: (a, b) => new Complex(a.real - b.real, a.imag - b.imag),
    }),
  ),
  rawFamily(
    numberPairTexts('aten::mul', 'promoted', complexToo),
    onNumbers({
      int: mulInt,
      float: (a, b) => a * b,
      complex: (a, b) => new Complex(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real),
    }),
  ),
  rawFamily(
    [
      'aten::div.int(int a, int b) -> float',
      'aten::div.complex(complex a, complex b) -> complex',
      'aten::div.float(float a, float b) -> float',
      'aten::div(Scalar a, Scalar b) -> float',
    ],
    onNumbers({ float: (a, b) => a / b, complex: divideComplex }),
  ),
  rawFamily(
    numberPairTexts('aten::floordiv', 'promoted'),
    onNumbers({ int: floorDivInt, float: (a, b) => Math.floor(a / b) }),
  ),
  rawFamily(
    numberPairTexts('aten::remainder', 'promoted'),
    onNumbers({ int: moduloInt, float: moduloDouble }),
  ),
  rawFamily(
    numberPairTexts('aten::pow', 'float', { scalar: 'Scalar_Scalar' }),
    onNumbers({ float: powDouble }),
  ),
].flat()

function pairOfDivMod([a, b]: readonly IValue[]): IValue[] {
  if (isInt(a) && isInt(b)) return [floorDivInt(a, b), moduloInt(a, b)]
  const [x, y] = [toDouble(a), toDouble(b)]
  if (y === 0) throw new OperatorArgumentError('ZeroDivisionError: float divmod()')
  const rest = x % y
  const remainder = rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
  return [new Double((x - remainder) / y), new Double(remainder)]
}

const divmod: readonly Operator[] = rawFamily(
  [
    'aten::divmod.int(int x, int y) -> (int, int)',
    'aten::divmod.float(float x, float y) -> (float, float)',
    'aten::divmod.int_float(int x, float y) -> (float, float)',
    'aten::divmod.float_int(float x, int y) -> (float, float)',
  ],
  pairOfDivMod,
)

const unary: readonly Operator[] = [
  rawFamily(
    [...numberTexts('aten::neg', { int: 'int', float: 'float' }), 'aten::neg.complex(complex a) -> complex'],
    ([a]) => {
      if (a instanceof Double) return new Double(-a.value)
      return a instanceof Complex ? new Complex(-a.real, -a.imag) : negInt(toInt(a))
    },
  ),
  rawFamily(
    [...numberTexts('prim::abs', { int: 'int', float: 'float' }), 'prim::abs.complex(complex a) -> float'],
    ([a]) => {
      if (a instanceof Double) return new Double(Math.abs(a.value))
      return a instanceof Complex ? new Double(Math.hypot(a.real, a.imag)) : absInt(toInt(a))
    },
  ),
  rawFamily(numberTexts('aten::floor', { int: 'int', float: 'int' }), roundedBy(Math.floor)),
  rawFamily(numberTexts('aten::ceil', { int: 'int', float: 'int' }), roundedBy(Math.ceil)),
].flat()

function roundedBy(round: (value: number) => number): RawKernel {
  return ([a]) => {
    if (!(a instanceof Double)) return toInt(a)
    const value = round(a.value)
    // -2^63 is the last that fits.
    if (!(value >= -(2 ** 63) && value < 2 ** 63))
      throw new OperatorArgumentError(`cannot convert float ${a.value} to integer`)
    return intFromDouble(value)
  }
}

const rangeOperators: readonly Operator[] = rawTable({
  'aten::pow.int_to_int(int a, int b) -> int': ([a, b]) => powInt(toInt(a), toInt(b)),
  'aten::__round_to_zero_floordiv.int(int a, int b) -> int': ([a, b]) => truncDivInt(toInt(a), toInt(b)),
  'aten::gcd.int(int a, int b) -> int': ([a, b]) => gcdInt(toInt(a), toInt(b)),
  'aten::__derive_index(int index, int start, int step) -> int': ([index, start, step]) =>
    addInt(toInt(start), mulInt(toInt(index), toInt(step))),
  'aten::__range_length(int lo, int hi, int step) -> int': ([lo, hi, step]) =>
    rangeLength(toInt(lo), toInt(hi), toInt(step)),
})

function rangeLength(lo: Int, hi: Int, step: Int): Int {
  if (step === 0) throw new OperatorArgumentError('range() arg 3 must not be zero', { argument: 'step' })
  if (step > 0 ? lo >= hi : lo <= hi) return 0
  const span = subInt(absInt(subInt(hi, lo)), 1)
  return addInt(1, floorDivInt(span, absInt(step)))
}

export const scalarArithmetic: readonly Operator[] = [...binary, ...divmod, ...unary, ...rangeOperators]
