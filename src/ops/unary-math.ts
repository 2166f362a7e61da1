import { isFloating } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { elementwiseUnary, mapUnary, type UnaryKernel } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { roundToEven } from './round-to-even.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { raise } from './power.ts'
import { erf, erfc, logGamma } from './special-functions.ts'
import { cloneAs } from './tensor-access.ts'

/** Float-valued functions: integers and bools are computed as float32. */
const floatingFunctions: Readonly<Record<string, (x: number) => number>> = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
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
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  erf,
  erfc,
  lgamma: logGamma,
  deg2rad: (x) => x * (Math.PI / 180),
  rad2deg: (x) => x * (180 / Math.PI),
}

/** Second names, which have no in-place twins. */
const specialFunctions: Readonly<Record<string, (x: number) => number>> = {
  special_erf: erf,
  special_erfc: erfc,
  special_exp2: (x) => 2 ** x,
  special_expm1: Math.expm1,
  special_log1p: Math.log1p,
  special_gammaln: logGamma,
  special_expit: (x) => 1 / (1 + Math.exp(-x)),
}

/** Functions that leave integers as they are. */
const roundings: Readonly<Record<string, (x: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  fix: Math.trunc,
  round: roundToEven,
}

const absolute: UnaryKernel = { number: Math.abs, bigint: (x) => (x < 0n ? -x : x) }
const negative: UnaryKernel = { number: (x) => -x, bigint: (x) => -x }
const sign: UnaryKernel = {
  number: (x) => (x > 0 ? 1 : x < 0 ? -1 : x !== x ? 0 : x),
  bigint: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
}

function functional(name: string, compute: (self: Tensor) => Tensor): Operator {
  return defineOp(`aten::${name}(Tensor self) -> Tensor`, { reference: ({ self }) => compute(self) })
}

function unary(name: string, compute: (self: Tensor) => Tensor): Operator[] {
  return withInPlace(functional(name, compute))
}

function rounded(self: Tensor, fn: (x: number) => number): Tensor {
  if (self.dtype === 'bool') throw new OperatorArgumentError('rounding is not implemented for bool tensors')
  return isFloating(self.dtype) ? mapUnary(self, self.dtype, { number: fn }) : cloneAs(self)
}

function roundToDecimals(self: Tensor, decimals: number): Tensor {
  const scale = 10 ** Math.abs(decimals)
  return rounded(
    self,
    decimals >= 0 ? (x) => roundToEven(x * scale) / scale : (x) => roundToEven(x / scale) * scale,
  )
}

function negate(self: Tensor): Tensor {
  if (self.dtype === 'bool')
    throw new OperatorArgumentError(
      'negation of a bool tensor is not supported',
      {},
      'use `~` or logical_not',
    )
  return mapUnary(self, self.dtype, negative)
}

export const unaryMathOperators: readonly Operator[] = [
  ...Object.entries(floatingFunctions).flatMap(([name, fn]) =>
    unary(name, (self) => elementwiseUnary(self, fn)),
  ),
  ...Object.entries(specialFunctions).map(([name, fn]) =>
    functional(name, (self) => elementwiseUnary(self, fn)),
  ),
  ...Object.entries(roundings).flatMap(([name, fn]) => unary(name, (self) => rounded(self, fn))),
  ...unary('abs', (self) => mapUnary(self, self.dtype, absolute)),
  ...unary('absolute', (self) => mapUnary(self, self.dtype, absolute)),
  ...unary('neg', negate),
  ...unary('negative', negate),
  ...unary('sign', (self) => mapUnary(self, self.dtype, sign)),
  ...unary('sgn', (self) => mapUnary(self, self.dtype, sign)),
  ...unary('square', (self) => raise(self, 2)),
  ...unary('frac', (self) => rounded(self, (x) => x - Math.trunc(x))),
  ...withInPlace(
    defineOp('aten::round.decimals(Tensor self, *, int decimals) -> Tensor', {
      reference: ({ self, decimals }) => roundToDecimals(self, decimals),
    }),
  ),
]
