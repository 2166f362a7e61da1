import { Complex, Double, type IValue } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import { intFromDouble, wrapInt, type Int } from './int64.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily } from './raw-family.ts'
import { isInt, toDouble, toInt } from './scalar-values.ts'
import { singleElement } from './tensor-element.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A tensor of one element as that element; other values as they are. */
function scalarOf(value: IValue | undefined): IValue {
  return value instanceof Tensor ? singleElement(value) : (value ?? null)
}

function asInt(value: IValue): Int {
  if (value instanceof Double) return intFromDouble(value.value)
  if (typeof value === 'string') return parseInteger(value)
  refuseImaginary(value, 'int')
  return value instanceof Complex ? intFromDouble(value.real) : toInt(value)
}

function asFloat(value: IValue): Double {
  if (typeof value === 'string') return new Double(parseFloating(value))
  refuseImaginary(value, 'float')
  return new Double(value instanceof Complex ? value.real : toDouble(value))
}

function asBool(value: IValue): boolean {
  if (value instanceof Complex) return value.real !== 0 || value.imag !== 0
  return toDouble(value) !== 0
}

function refuseImaginary(value: IValue, target: string): void {
  if (value instanceof Complex && value.imag !== 0)
    throw new OperatorArgumentError(`a complex number with an imaginary part is no ${target}`)
}

/** As C's `stoll`: white space in front is skipped, anything behind the digits refused. */
function parseInteger(text: string): Int {
  const digits = /^[ \t\n\v\f\r]*([-+]?)(\d+)$/.exec(text)
  if (digits === null) throw new OperatorArgumentError(`invalid literal for int() with base 10: '${text}'`)
  if (text.length > 100) throw new OperatorArgumentError(`'${text.slice(0, 40)}…' does not fit an int`)
  const value = BigInt(digits[2]!) * (digits[1] === '-' ? -1n : 1n)
  if (BigInt.asIntN(64, value) !== value) throw new OperatorArgumentError(`'${text}' does not fit an int`)
  return wrapInt(value)
}

const specialFloats: Readonly<Record<string, number>> = {
  inf: Infinity,
  infinity: Infinity,
  nan: NaN,
}

/** As C's `stod`, without hexadecimal fractions. */
function parseFloating(text: string): number {
  const body = text.replace(/^[ \t\n\v\f\r]+/, '')
  const sign = body.startsWith('-') ? -1 : 1
  const special = specialFloats[body.replace(/^[-+]/, '').toLowerCase()]
  if (special !== undefined) return sign * special
  if (/^[-+]?0[xX][0-9a-fA-F]+$/.test(body)) return sign * Number(body.replace(/^[-+]/, ''))
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(body)) return Number(body)
  throw new OperatorArgumentError(`could not convert string to float: '${text}'`)
}

const implicit = [
  ...rawFamily(['aten::IntImplicit(Tensor a) -> int'], ([a]) => implicitInt(implicitScalar(a))),
  ...rawFamily(['aten::FloatImplicit(Tensor a) -> float'], ([a]) => asFloat(implicitScalar(a))),
  ...rawFamily(['aten::ScalarImplicit(Tensor a) -> Scalar'], ([a]) => implicitScalar(a)),
]

/** An implicit conversion takes tensors without dimensions only. */
function implicitScalar(value: IValue | undefined): IValue {
  if (value instanceof Tensor && value.dim > 0)
    throw new OperatorArgumentError(
      `a tensor of sizes [${value.sizes.join(', ')}] does not become a number by itself`,
      {},
      'call int(), float() or item() on it',
    )
  return scalarOf(value)
}

function implicitInt(value: IValue): Int {
  if (isInt(value)) return value
  throw new OperatorArgumentError(
    'only a tensor of integers becomes an int by itself',
    {},
    'call int() on it',
  )
}

const real = ['int', 'float', 'bool']
const pairs = real.flatMap((x) => real.map((y) => [x, y] as const))

const toComplexNumber = rawFamily(
  [
    'aten::Complex.Scalar(Scalar a) -> complex',
    ...pairs.map(([x, y]) => `aten::Complex.${x}_${y}(${x} x, ${y} y) -> complex`),
    'aten::Complex.Tensor_Tensor(Tensor a, Tensor b) -> complex',
    ...real.map((x) => `aten::Complex.Tensor_${x}(Tensor x, ${x} y) -> complex`),
    ...real.map((x) => `aten::Complex.${x}_Tensor(${x} x, Tensor y) -> complex`),
  ],
  ([a, b = 0]) => {
    const value = scalarOf(a)
    return value instanceof Complex ? value : new Complex(toDouble(value), toDouble(scalarOf(b)))
  },
)

export const scalarConversion: readonly Operator[] = [
  ...rawFamily(
    [
      ...forEach(['bool', 'float', 'str'], 'aten::Int.KEY(KEY a) -> int'),
      'aten::Int.Scalar(Scalar a) -> int',
      'aten::Int.Tensor(Tensor a) -> int',
    ],
    ([a]) => asInt(scalarOf(a)),
  ),
  ...rawFamily(
    [
      ...forEach(['int', 'bool', 'str'], 'aten::Float.KEY(KEY a) -> float'),
      'aten::Float.Scalar(Scalar a) -> float',
      'aten::Float.Tensor(Tensor a) -> float',
    ],
    ([a]) => asFloat(scalarOf(a)),
  ),
  ...rawFamily(
    [...forEach(['int', 'float'], 'aten::Bool.KEY(KEY a) -> bool'), 'aten::Bool.Tensor(Tensor a) -> bool'],
    ([a]) => asBool(scalarOf(a)),
  ),
  ...rawFamily(['aten::is_nonzero(Tensor self) -> bool'], ([self]) => asBool(scalarOf(self))),
  ...rawFamily(['aten::item(Tensor self) -> Scalar'], ([self]) => scalarOf(self)),
  ...rawFamily(['aten::_local_scalar_dense(Tensor self) -> Scalar'], ([self]) => scalarOf(self)),
  ...implicit,
  ...toComplexNumber,
]
