import { scalarToNumber } from '../ir/ivalue.ts'
import { addScaled, multiply } from './arithmetic.ts'
import { binary, floatingBinary } from './binary.ts'
import { trueDivide } from './division.ts'
import type { BinaryKernel } from './elementwise.ts'
import { renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'

/** The larger; NaN where either is. */
export const larger: BinaryKernel = {
  number: (a, b) => (a > b || a !== a ? a : b),
  bigint: (a, b) => (a > b ? a : b),
}

/** The smaller; NaN where either is. */
export const smaller: BinaryKernel = {
  number: (a, b) => (a < b || a !== a ? a : b),
  bigint: (a, b) => (a < b ? a : b),
}

const largerNumber: BinaryKernel = { ...larger, number: (a, b) => (a >= b || b !== b ? a : b) }
const smallerNumber: BinaryKernel = { ...smaller, number: (a, b) => (a <= b || b !== b ? a : b) }

/** log(eᵃ + eᵇ) */
export function logAddExp(a: number, b: number): number {
  if (Math.abs(a) === Infinity && a === b) return a
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))
}

function interpolate(weight: number): BinaryKernel {
  return {
    number: Math.abs(weight) < 0.5 ? (a, b) => a + weight * (b - a) : (a, b) => b - (b - a) * (1 - weight),
  }
}

const maximum = defineOp('aten::maximum(Tensor self, Tensor other) -> Tensor', {
  reference: ({ self, other }) => binary(self, other, larger),
})

const minimum = defineOp('aten::minimum(Tensor self, Tensor other) -> Tensor', {
  reference: ({ self, other }) => binary(self, other, smaller),
})

const arcTangent = defineOp('aten::atan2(Tensor self, Tensor other) -> Tensor', {
  reference: ({ self, other }) => floatingBinary(self, other, { number: Math.atan2 }),
})

export const binaryMathOperators: readonly Operator[] = [
  maximum,
  minimum,
  defineOp('aten::max.other(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, larger),
  }),
  defineOp('aten::min.other(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, smaller),
  }),
  defineOp('aten::fmax(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, largerNumber),
  }),
  defineOp('aten::fmin(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, smallerNumber),
  }),
  defineOp('aten::logaddexp(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => binary(self, other, { number: logAddExp }),
  }),
  ...withInPlace(
    arcTangent,
    renamed(arcTangent, 'aten::arctan2'),
    defineOp('aten::hypot(Tensor self, Tensor other) -> Tensor', {
      reference: ({ self, other }) => binary(self, other, { number: (a, b) => Math.hypot(a, b) }),
    }),
    defineOp('aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor', {
      reference: ({ self, end, weight }) => binary(self, end, interpolate(scalarToNumber(weight))),
    }),
    defineOp('aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor', {
      reference: ({ self, end, weight }) => addScaled(self, multiply(weight, addScaled(end, self, -1))),
    }),
    defineOp('aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor', {
      reference: ({ self, tensor1, tensor2, value }) => addScaled(self, multiply(tensor1, tensor2), value),
    }),
    defineOp('aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor', {
      reference: ({ self, tensor1, tensor2, value }) => addScaled(self, trueDivide(tensor1, tensor2), value),
    }),
  ),
]
