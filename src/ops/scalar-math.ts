import { Double, type IValue } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import { roundToEven } from './round-to-even.ts'
import { mulInt, type Int } from './int64.ts'
import type { Operator } from './operator.ts'
import { numberPairTexts, numberTexts, rawFamily, rawTable } from './raw-family.ts'
import { toDouble, toInt, toIndex } from './scalar-values.ts'
import { erf, erfc, gamma, logGamma } from './special-functions.ts'

/** Functions of one number that always give a float. */
const unaryFunctions: Readonly<Record<string, (value: number) => number>> = {
  round: roundToEven,
  fabs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf,
  erfc,
  gamma,
  lgamma: logGamma,
  degrees: (value) => (value * 180) / Math.PI,
  radians: (value) => (value * Math.PI) / 180,
  angle: (value) => (Number.isNaN(value) ? NaN : value < 0 ? Math.PI : 0),
}

const unary = Object.entries(unaryFunctions).flatMap(([name, compute]) =>
  rawFamily(
    numberTexts(`aten::${name}`, { int: 'float', float: 'float' }),
    ([a]) => new Double(compute(toDouble(a))),
  ),
)

/** C's `remainder`: the quotient is rounded half to even. */
function ieeeRemainder(a: number, b: number): number {
  if (!Number.isFinite(a) || Number.isNaN(b) || b === 0) return NaN
  if (!Number.isFinite(b)) return a
  const rest = Math.abs(a % b)
  const size = Math.abs(b)
  const isOdd = Math.floor((Math.abs(a) - rest) / size) % 2 !== 0
  const down = rest * 2 > size || (rest * 2 === size && isOdd)
  return (down ? rest - size : rest) * (a < 0 ? -1 : 1)
}

function copySign(a: number, b: number): number {
  const isNegative = b < 0 || Object.is(b, -0)
  return isNegative ? -Math.abs(a) : Math.abs(a)
}

const binaryFunctions: readonly (readonly [string, string | undefined, (a: number, b: number) => number])[] =
  [
    ['aten::atan2', 'Scalar_Scalar', Math.atan2],
    ['aten::fmod', undefined, (a, b) => a % b],
    ['aten::mathremainder', undefined, ieeeRemainder],
    ['aten::copysign', undefined, copySign],
  ]

const binary = binaryFunctions.flatMap(([name, scalar, compute]) =>
  rawFamily(
    numberPairTexts(name, 'float', scalar === undefined ? {} : { scalar }),
    ([a, b]) => new Double(compute(toDouble(a), toDouble(b))),
  ),
)

const logWithBase = rawFamily(
  [
    'aten::log.int_int(int a, int b) -> float',
    'aten::log.float_float(float a, float b) -> float',
    'aten::log.int_float(int a, float b) -> float',
    'aten::log.float_int(float a, int b) -> float',
    'aten::log.Scalar_Scalar(Scalar a, Scalar b) -> float',
  ],
  ([a, b]) => new Double(Math.log(toDouble(a)) / Math.log(toDouble(b))),
)

const others = rawTable({
  'aten::isnan.float(float a) -> bool': ([a]) => Number.isNaN(toDouble(a)),
  'aten::isinf.float(float a) -> bool': ([a]) => Math.abs(toDouble(a)) === Infinity,
  'aten::isfinite.float(float a) -> bool': ([a]) => Number.isFinite(toDouble(a)),
  'aten::factorial.int(int a) -> int': ([a]) => factorial(toIndex(a)),
  'aten::ldexp(float x, int i) -> float': ([x, i]) => new Double(scaleByPower(toDouble(x), toIndex(i))),
  'aten::frexp(float a) -> (float, int)': ([a]) => splitExponent(toDouble(a)),
  'aten::modf(float a) -> (float, float)': ([a]) => splitFraction(toDouble(a)),
})

function factorial(n: number): Int {
  if (n < 0) throw new OperatorArgumentError('factorial() not defined for negative values')
  let product: Int = 1
  // From 66 on the product of 64-bit ints is 0 for good.
  for (let i = 2; i <= Math.min(n, 66); i++) product = mulInt(product, toInt(i))
  return product
}

/** In two steps, so that neither power overflows. */
function scaleByPower(value: number, exponent: number): number {
  const bounded = Math.max(-2200, Math.min(2200, exponent))
  const half = Math.trunc(bounded / 2)
  const quarter = Math.trunc(half / 2)
  return value * 2 ** quarter * 2 ** (half - quarter) * 2 ** (bounded - half)
}

function splitExponent(value: number): IValue[] {
  if (value === 0 || !Number.isFinite(value)) return [new Double(value), 0]
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(value))) + 1)
  let mantissa = scaleByPower(value, -exponent)
  while (Math.abs(mantissa) < 0.5) {
    mantissa *= 2
    exponent--
  }
  while (Math.abs(mantissa) >= 1) {
    mantissa /= 2
    exponent++
  }
  return [new Double(mantissa), exponent]
}

function splitFraction(value: number): IValue[] {
  const whole = Math.trunc(value)
  const fraction = Number.isFinite(value) ? value - whole : Number.isNaN(value) ? NaN : copySign(0, value)
  return [new Double(fraction), new Double(whole)]
}

export const scalarMath: readonly Operator[] = [...unary, ...binary, ...logWithBase, ...others]
