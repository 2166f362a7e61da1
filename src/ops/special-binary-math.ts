import { Double } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { binary, floatingBinary, type Operand } from './binary.ts'
import type { BinaryKernel } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { inPlace, renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { cPow, raise } from './power.ts'

/** a · log b, which is 0 where a is, unless b is NaN. */
const timesLog: BinaryKernel = {
  number: (a, b) => (b !== b ? NaN : a === 0 ? 0 : a * Math.log(b)),
}

/** 0 below 0, 1 above, and the other operand's element at 0. */
const step: BinaryKernel = {
  number: (x, atZero) => (x === 0 ? atZero : Number(x > 0)),
  bigint: (x, atZero) => (x === 0n ? atZero : BigInt(x > 0n)),
}

function heaviside(self: Tensor, values: Tensor): Tensor {
  if (self.dtype !== values.dtype)
    throw new OperatorArgumentError(
      `heaviside is not implemented for tensors with different dtypes, ${self.dtype} and ${values.dtype}`,
    )
  return binary(self, values, step)
}

/** The size of one and the sign of the other, which 0 has too. */
const signed: BinaryKernel = {
  number: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
}

/** Always in double precision. */
function floatPower(base: Operand, exponent: Operand): Tensor {
  return binary(base, exponent, { number: cPow }, 'float64')
}

function logAddExp2(a: number, b: number): number {
  if (Math.abs(a) === Infinity && a === b) return a
  return Math.max(a, b) + Math.log1p(2 ** -Math.abs(a - b)) / Math.LN2
}

const timesLogs = [
  defineOp('aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => floatingBinary(self, other, timesLog),
  }),
  defineOp('aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor', {
    reference: ({ self, other }) => floatingBinary(self, other, timesLog),
  }),
  defineOp('aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => floatingBinary(self, other, timesLog),
  }),
] as const

export const specialBinaryMathOperators: readonly Operator[] = [
  ...timesLogs,
  inPlace(timesLogs[0], 'Tensor'),
  inPlace(timesLogs[1], 'Scalar_Other'),
  renamed(timesLogs[0], 'aten::special_xlogy', ''),
  renamed(timesLogs[1], 'aten::special_xlogy', 'other_scalar'),
  renamed(timesLogs[2], 'aten::special_xlogy', 'self_scalar'),
  ...withInPlace(
    defineOp('aten::heaviside(Tensor self, Tensor values) -> Tensor', {
      reference: ({ self, values }) => heaviside(self, values),
    }),
    defineOp('aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor', {
      reference: ({ self, other }) => floatingBinary(self, other, signed),
    }),
    defineOp('aten::copysign.Scalar(Tensor self, Scalar other) -> Tensor', {
      reference: ({ self, other }) => floatingBinary(self, other, signed),
    }),
  ),
  defineOp('aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor', {
    reference: ({ self, exponent }) => floatPower(self, exponent),
  }),
  defineOp('aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor', {
    reference: ({ self, exponent }) => floatPower(self, exponent),
  }),
  defineOp('aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor', {
    reference: ({ self, exponent }) => floatPower(self, exponent),
  }),
  defineOp('aten::logaddexp2(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, { number: logAddExp2 }),
  }),
  defineOp('aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => multiply(self, raise(new Double(2), other)),
  }),
]
