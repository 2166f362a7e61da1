import { scalarToNumber } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { addScaled } from './arithmetic.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { normRow, vectorNorm } from './spread.ts'
import { allocateFor, floatData } from './tensor-access.ts'

function requireNorm(p: number): void {
  if (!(p >= 0))
    throw new OperatorArgumentError(`distances need a p of at least 0, but got ${p}`, { argument: 'p' })
}

type Floats = Float32Array | Float64Array

/** The p-norm of the difference of two rows, by their places. */
function distanceBetween(a: Floats, b: Floats, length: number, p: number): (i: number, j: number) => number {
  const difference = new Float64Array(length)
  const norm = normRow(p)
  return (i, j) => {
    for (let k = 0; k < length; k++) difference[k] = a[i * length + k]! - b[j * length + k]!
    return norm(difference, 0, length)
  }
}

/**
 * The p-norm of the difference of each row of one matrix and each of another, batches broadcast. Always of the
 * difference: libtorch multiplies matrices for many rows of Euclidean distance, which is less exact.
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
function distances(x1: Tensor, x2: Tensor, p: number): Tensor {
  requireFloating(x1, 'cdist')
  requireSameDType(x1, { x2 })
  requireNorm(p)
  if (x1.dim < 2 || x2.dim < 2 || x1.sizes.at(-1) !== x2.sizes.at(-1))
    throw new OperatorArgumentError(
      `cdist needs two tensors of at least two dimensions with as many columns, but got ${sizesText(x1.sizes)} and ` +
        sizesText(x2.sizes),
    )
  const batch = broadcastSizes(x1.sizes.slice(0, -2), x2.sizes.slice(0, -2))
  const [rows, columns, length] = [x1.sizes.at(-2)!, x2.sizes.at(-2)!, x1.sizes.at(-1)!]
  const result = allocateFor([x1, x2], kernelDType(x1.dtype), [...batch, rows, columns])
  if (result.isMeta) return fromKernel(result, x1.dtype)
  const [a, b] = [x1, x2].map((x) => floatData(broadcastTo(x, [...batch, ...x.sizes.slice(-2)]))) as [
    Floats,
    Floats,
  ]
  const between = distanceBetween(a, b, length, p)
  const out = floatsOf(result)
  for (let at = 0; at < out.length; at++) {
    const row = Math.floor(at / columns)
    out[at] = between(row, Math.floor(row / rows) * columns + (at % columns))
  }
  return fromKernel(result, x1.dtype)
}

/** The distances of each two rows, the first with all behind it, then the second with all behind it, … */
function pairDistances(self: Tensor, p: number): Tensor {
  requireFloating(self, 'pdist')
  requireNorm(p)
  if (self.dim !== 2)
    throw new OperatorArgumentError(`pdist only supports 2D tensors, got: ${self.dim}D`, { argument: 'self' })
  const [rows, length] = self.sizes as [number, number]
  const result = allocateFor([self], kernelDType(self.dtype), [(rows * (rows - 1)) / 2])
  if (result.isMeta) return fromKernel(result, self.dtype)
  const data = floatData(self)
  const between = distanceBetween(data, data, length, p)
  const out = floatsOf(result)
  let at = 0
  for (let i = 0; i < rows; i++) for (let j = i + 1; j < rows; j++) out[at++] = between(i, j)
  return fromKernel(result, self.dtype)
}

export const distanceOperators: readonly Operator[] = [
  defineOp('aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor', {
    reference: ({ x1, x2, p }) => distances(x1, x2, p),
  }),
  defineOp('aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor', {
    reference: ({ x1, x2, p }) => distances(x1, x2, p),
  }),
  defineOp('aten::pdist(Tensor self, float p=2.) -> Tensor', {
    reference: ({ self, p }) => pairDistances(self, p),
  }),
  defineOp('aten::_pdist_forward(Tensor self, float p=2.) -> Tensor', {
    reference: ({ self, p }) => pairDistances(self, p),
  }),
  defineOp('aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor', {
    reference: ({ self, other, p }) => {
      requireNorm(scalarToNumber(p))
      return vectorNorm(addScaled(self, other, -1), p, null, false, null)
    },
  }),
]
