import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import type { DType } from '../tensor/dtype.ts'
import { type Tensor } from '../tensor/tensor.ts'
import { binary, type Operand } from './binary.ts'
import { larger, smaller } from './binary-math.ts'
import { toInt64 } from './convert.ts'
import { mapUnary, type UnaryRow } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { inPlace, renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { convert, soleNumber } from './tensor-access.ts'
import { resultType } from './type-promotion.ts'

function clampRow(low: number, high: number): UnaryRow {
  return (out, x, n) => {
    for (let i = 0; i < n; i++) {
      const value = x[i]!
      out[i] = value < low ? (low > high ? high : low) : value > high ? high : value
    }
  }
}

/**
 * Each element held between two numbers, either of which may be missing; NaN stays NaN. The upper bound wins where
 * they cross.
 *
 * @throws OperatorArgumentError when both are missing
 */
export function clampBetween(self: Tensor, min: Scalar | null, max: Scalar | null): Tensor {
  const bounds = present(min, max)
  const common = resultType(self, ...bounds)
  if (common === 'bool') throw new OperatorArgumentError('clamp is not implemented for bool tensors')
  if (bounds.some((bound) => Number.isNaN(scalarToNumber(bound)))) return allNaN(self, common)
  const source = convert(self, common)
  const low = bound(min, common, -Infinity)
  const high = bound(max, common, Infinity)
  const hold = (x: number): number => (x < low ? Math.min(low, high) : x > high ? high : x)
  const [bigLow, bigHigh] = [
    min === null ? -(2n ** 63n) : toInt64(low),
    max === null ? 2n ** 63n : toInt64(high),
  ]
  return mapUnary(source, common, {
    number: hold,
    bigint: (x) => (x > bigHigh || bigLow > bigHigh ? bigHigh : x < bigLow ? bigLow : x),
    row: clampRow(low, high),
  })
}

/** A bound as the dtype rounds it. */
function bound(value: Scalar | null, dtype: DType, missing: number): number {
  return value === null ? missing : soleNumber(scalarTensor(value, dtype))
}

function allNaN(self: Tensor, dtype: DType): Tensor {
  return mapUnary(convert(self, dtype), dtype, { number: () => NaN, bigint: () => 0n })
}

function present<T>(min: T | null, max: T | null): T[] {
  const bounds = [min, max].filter((value): value is T & {} => value !== null)
  if (bounds.length === 0)
    throw new OperatorArgumentError("clamp: at least one of 'min' or 'max' must not be None")
  return bounds
}

function clampByTensors(self: Tensor, min: Tensor | null, max: Tensor | null): Tensor {
  const common = resultType(self, ...present(min, max))
  let result: Operand = self
  if (min) result = binary(result, min, larger, common)
  if (max) result = binary(result, max, smaller, common)
  return result
}

function nanToNum(self: Tensor, nan: number | null, posinf: number | null, neginf: number | null): Tensor {
  const limits: Partial<Record<DType, number>> = {
    float64: Number.MAX_VALUE,
    float16: 65504,
    bfloat16: 3.3895314e38,
  }
  const limit = limits[self.dtype] ?? 3.4028234663852886e38
  const [ofNaN, high, low] = [nan ?? 0, posinf ?? limit, neginf ?? -limit]
  return mapUnary(self, self.dtype, {
    number: (x) => (x !== x ? ofNaN : x === Infinity ? high : x === -Infinity ? low : x),
    bigint: (x) => x,
  })
}

const clampScalar = defineOp('aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor', {
  reference: ({ self, min, max }) => clampBetween(self, min, max),
})

const clampTensor = defineOp(
  'aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor',
  {
    reference: ({ self, min, max }) => clampByTensors(self, min, max),
  },
)

export const clampOperators: readonly Operator[] = [
  ...[clampScalar, clampTensor].flatMap((operator) => [
    operator,
    inPlace(operator),
    renamed(operator, 'aten::clip'),
    renamed(inPlace(operator), 'aten::clip_'),
  ]),
  ...withInPlace(
    defineOp('aten::clamp_min(Tensor self, Scalar min) -> Tensor', {
      reference: ({ self, min }) => clampBetween(self, min, null),
    }),
    defineOp('aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor', {
      reference: ({ self, min }) => clampByTensors(self, min, null),
    }),
    defineOp('aten::clamp_max(Tensor self, Scalar max) -> Tensor', {
      reference: ({ self, max }) => clampBetween(self, null, max),
    }),
    defineOp('aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor', {
      reference: ({ self, max }) => clampByTensors(self, null, max),
    }),
    defineOp(
      'aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor',
      { reference: ({ self, nan, posinf, neginf }) => nanToNum(self, nan, posinf, neginf) },
    ),
  ),
]
