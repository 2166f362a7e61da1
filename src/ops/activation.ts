import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { isFloating } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { clampBetween } from './clamp.ts'
import { elementwiseUnary, mapUnary, type UnaryRow } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating } from './float-compute.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { erfc } from './special-functions.ts'

type RealFunction = (x: number) => number

/** A function of real numbers, which libtorch refuses for integers. */
function floating(self: Tensor, name: string, fn: RealFunction, row?: UnaryRow): Tensor {
  requireFloating(self, name)
  return elementwiseUnary(self, fn, row)
}

/** 1 / (1 + e⁻ˣ) */
export function sigmoidOf(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

const sigmoidRow: UnaryRow = (out, x, n) => {
  for (let i = 0; i < n; i++) out[i] = 1 / (1 + Math.exp(-x[i]!))
}

const siluRow: UnaryRow = (out, x, n) => {
  for (let i = 0; i < n; i++) out[i] = x[i]! / (1 + Math.exp(-x[i]!))
}

const reluRow: UnaryRow = (out, x, n) => {
  for (let i = 0; i < n; i++) {
    const value = x[i]!
    out[i] = value <= 0 ? 0 : value
  }
}

const hardswishRow: UnaryRow = (out, x, n) => {
  for (let i = 0; i < n; i++) out[i] = (x[i]! * Math.min(Math.max(x[i]! + 3, 0), 6)) / 6
}

/** Each element where it is positive, else 0; NaN stays. */
export function relu(self: Tensor): Tensor {
  if (self.dtype === 'bool') throw new OperatorArgumentError('boolean inputs not supported for relu')
  return mapUnary(self, self.dtype, {
    number: (x) => (x <= 0 ? 0 : x),
    bigint: (x) => (x <= 0n ? 0n : x),
    row: reluRow,
  })
}

function hardtanh(self: Tensor, min: Scalar, max: Scalar): Tensor {
  if (self.dtype === 'bool') throw new OperatorArgumentError('bool inputs not supported for hardtanh')
  const [low, high] = [scalarToNumber(min), scalarToNumber(max)]
  if (isFloating(self.dtype)) return clampBetween(self, min, max)
  if (self.dtype === 'uint8' && (low < 0 || high < 0))
    throw new OperatorArgumentError('cannot do hardtanh on an unsigned type with negative limits')
  return clampBetween(self, Math.trunc(low), Math.trunc(high))
}

function threshold(self: Tensor, limit: Scalar, value: Scalar): Tensor {
  if (self.dtype === 'bool') throw new OperatorArgumentError('threshold is not implemented for bool')
  const [low, other] = [scalarToNumber(limit), scalarToNumber(value)]
  return mapUnary(self, self.dtype, {
    number: (x) => (x <= low ? other : x),
    bigint: (x) => (Number(x) <= low ? BigInt(Math.trunc(other)) : x),
  })
}

/** scale · x above 0, scale · alpha · (e^(inputScale · x) - 1) below. */
function exponentialUnit(alpha: number, scale: number, inputScale: number): RealFunction {
  return (x) => (x <= 0 ? Math.expm1(x * inputScale) * alpha * scale : x * scale)
}

// Klambauer et al. 2017, Self-Normalizing Neural Networks.
const seluAlpha = 1.6732632423543772848
const seluScale = 1.0507009873554804934

function celu(self: Tensor, alpha: number): Tensor {
  if (alpha === 0) throw new OperatorArgumentError('alpha cannot be 0 for celu')
  return floating(self, 'celu', exponentialUnit(alpha, 1, 1 / alpha))
}

/** Hendrycks and Gimpel 2016; the other form replaces the error function by a tanh of a cubic. */
export function gelu(self: Tensor, approximate: string): Tensor {
  if (approximate === 'none') return floating(self, 'gelu', (x) => 0.5 * x * erfc(-x * Math.SQRT1_2))
  if (approximate !== 'tanh')
    throw new OperatorArgumentError(`approximate argument must be either none or tanh, not '${approximate}'`)
  const factor = Math.sqrt(2 / Math.PI)
  return floating(self, 'gelu', (x) => 0.5 * x * (1 + Math.tanh(factor * (x + 0.044715 * x * x * x))))
}

function softplus(self: Tensor, beta: number, threshold: number): Tensor {
  return floating(self, 'softplus', (x) => (x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta))
}

function softshrink(self: Tensor, lambda: number): Tensor {
  if (!(lambda >= 0))
    throw new OperatorArgumentError(`lambda must be greater or equal to 0, but found to be ${lambda}`)
  return floating(self, 'softshrink', (x) => (x > lambda ? x - lambda : x < -lambda ? x + lambda : 0))
}

function hardshrink(self: Tensor, lambda: number): Tensor {
  return floating(self, 'hardshrink', (x) => (x >= -lambda && x <= lambda ? 0 : x))
}

/** Misra 2019: x · tanh(softplus(x)). */
function mish(x: number): number {
  return x * Math.tanh(Math.log1p(Math.exp(x)))
}

function plain(name: string, compute: (self: Tensor) => Tensor): Operator[] {
  return withInPlace(
    defineOp(`aten::${name}(Tensor self) -> Tensor`, { reference: ({ self }) => compute(self) }),
  )
}

const rectifiers = [
  ...plain('relu', relu),
  ...plain('relu6', (self) => hardtanh(self, 0, 6)),
  ...withInPlace(
    defineOp('aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor', {
      reference: ({ self, min_val, max_val }) => hardtanh(self, min_val, max_val),
    }),
    defineOp('aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor', {
      reference: ({ self, threshold: limit, value }) => threshold(self, limit, value),
    }),
    defineOp('aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor', {
      reference: ({ self, negative_slope }) => {
        const slope = scalarToNumber(negative_slope)
        return floating(self, 'leaky_relu', (x) => (x > 0 ? x : x * slope))
      },
    }),
  ),
]

const sigmoids = [
  ...plain('sigmoid', (self) => elementwiseUnary(self, sigmoidOf, sigmoidRow)),
  ...plain('silu', (self) => floating(self, 'silu', (x) => x / (1 + Math.exp(-x)), siluRow)),
  ...plain('hardsigmoid', (self) =>
    floating(self, 'hardsigmoid', (x) => Math.min(Math.max(x + 3, 0), 6) / 6),
  ),
  ...plain('hardswish', (self) =>
    floating(self, 'hardswish', (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6, hardswishRow),
  ),
  ...plain('mish', (self) => floating(self, 'mish', mish)),
  ...withInPlace(
    defineOp('aten::gelu(Tensor self, *, str approximate="none") -> Tensor', {
      reference: ({ self, approximate }) => gelu(self, approximate),
    }),
  ),
  defineOp('aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor', {
    reference: ({ self, beta, threshold: limit }) =>
      softplus(self, scalarToNumber(beta), scalarToNumber(limit)),
  }),
]

const exponentialUnits = [
  ...plain('selu', (self) => floating(self, 'selu', exponentialUnit(seluAlpha, seluScale, 1))),
  ...withInPlace(
    defineOp('aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor', {
      reference: ({ self, alpha, scale, input_scale }) => {
        const [a, s, i] = [alpha, scale, input_scale].map(scalarToNumber) as [number, number, number]
        return floating(self, 'elu', exponentialUnit(a, s, i))
      },
    }),
    defineOp('aten::celu(Tensor self, Scalar alpha=1.) -> Tensor', {
      reference: ({ self, alpha }) => celu(self, scalarToNumber(alpha)),
    }),
  ),
]

const shrinkers = [
  defineOp('aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor', {
    reference: ({ self, lambd }) => softshrink(self, scalarToNumber(lambd)),
  }),
  defineOp('aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor', {
    reference: ({ self, lambd }) => hardshrink(self, scalarToNumber(lambd)),
  }),
]

export const activationOperators: readonly Operator[] = [
  ...rectifiers,
  ...sigmoids,
  ...exponentialUnits,
  ...shrinkers,
]
