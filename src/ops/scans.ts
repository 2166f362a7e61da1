import { Tensor } from '../tensor/tensor.ts'
import { isIntegral } from '../tensor/dtype.ts'
import { computeDType } from './elementwise.ts'
import type { NumberArray } from './convert.ts'
import { logAddExp } from './binary-math.ts'
import { wrapDimension } from './dimension.ts'
import { requireFloating } from './float-compute.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { reductionDType } from './reduction.ts'
import { allocate, cloneAs, contiguousData, convert } from './tensor-access.ts'

/** Writes the running value of each row of `length` elements. */
type Scan = (out: NumberArray, data: NumberArray, start: number, length: number) => void

const runningSum: Scan = (out, data, start, length) => {
  let sum = 0
  for (let i = start; i < start + length; i++) out[i] = sum += data[i]!
}

const runningProduct: Scan = (out, data, start, length) => {
  let product = 1
  for (let i = start; i < start + length; i++) out[i] = product *= data[i]!
}

/** As a scan of numbers, on the bigints of an int64 tensor, which wrap around where they are stored. */
function bigScan(combine: (a: bigint, b: bigint) => bigint, first: bigint): Scan {
  return (out, data, start, length) => {
    const results = out as unknown as BigInt64Array
    const values = data as unknown as BigInt64Array
    let state = first
    for (let i = start; i < start + length; i++) {
      state = BigInt.asIntN(64, combine(state, values[i]!))
      results[i] = state
    }
  }
}

/** A tensor with a dimension brought to the end, in row-major order, and the way back. */
function lastDimension(self: Tensor, dim: number): Tensor {
  return self.dim === 0 ? self : transpose(self, dim, -1)
}

/** log Σ exp of what came so far, none of it taken out of scale. */
const runningLogSum: Scan = (out, data, start, length) => {
  let sum = -Infinity
  for (let i = start; i < start + length; i++) out[i] = sum = logAddExp(sum, data[i]!)
}

function scan(self: Tensor, dimension: number, code: number | null, run: Scan, runBig: Scan): Tensor {
  const dim = wrapDimension(dimension, self.dim)
  const dtype = reductionDType(code, isIntegral(self.dtype, true) ? 'int64' : self.dtype)
  const compute = computeDType(dtype)
  if (self.isMeta) return Tensor.meta(dtype, self.sizes)
  const source = lastDimension(convert(convert(self, dtype), compute), dim)
  const data = contiguousData(source) as NumberArray
  const result = allocate(compute, source.sizes)
  const length = source.sizes.at(-1) ?? 1
  const scanRow = compute === 'int64' ? runBig : run
  for (let start = 0; start < data.length; start += length)
    scanRow(result.data as NumberArray, data, start, length)
  const back = lastDimension(result, dim)
  return convert(cloneAs(back, compute, allocate(compute, self.sizes).strides), dtype)
}

/** The running extreme and where it was met last. */
function scanExtreme(
  self: Tensor,
  dimension: number,
  beats: (a: number, b: number) => boolean,
): [Tensor, Tensor] {
  const dim = wrapDimension(dimension, self.dim)
  if (self.isMeta) return [Tensor.meta(self.dtype, self.sizes), Tensor.meta('int64', self.sizes)]
  const source = lastDimension(convert(self, computeDType(self.dtype)), dim)
  const data = contiguousData(source) as NumberArray
  const [values, indices] = [allocate(source.dtype, source.sizes), allocate('int64', source.sizes)]
  const [out, at] = [values.data as NumberArray, indices.data as BigInt64Array]
  const length = source.sizes.at(-1) ?? 1
  for (let start = 0; start < data.length; start += length)
    for (let i = start, best = start; i < start + length; i++) {
      const [value, champion] = [data[i]!, data[best]!]
      if (value !== value || (champion === champion && beats(value, champion))) best = i
      out[i] = data[best]!
      at[i] = BigInt(best - start)
    }
  const rowMajor = allocate('bool', self.sizes).strides
  const back = (tensor: Tensor): Tensor => cloneAs(lastDimension(tensor, dim), tensor.dtype, rowMajor)
  return [convert(back(values), self.dtype), back(indices)]
}

export const scanOperators: readonly Operator[] = [
  ...withInPlace(
    defineOp('aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor', {
      reference: ({ self, dim, dtype }) =>
        scan(
          self,
          dim,
          dtype,
          runningSum,
          bigScan((a, b) => a + b, 0n),
        ),
    }),
    defineOp('aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor', {
      reference: ({ self, dim, dtype }) =>
        scan(
          self,
          dim,
          dtype,
          runningProduct,
          bigScan((a, b) => a * b, 1n),
        ),
    }),
  ),
  defineOp('aten::logcumsumexp(Tensor self, int dim) -> Tensor', {
    reference: ({ self, dim }) => {
      requireFloating(self, 'logcumsumexp')
      return scan(self, dim, null, runningLogSum, runningLogSum)
    },
  }),
  defineOp('aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)', {
    reference: ({ self, dim }) => scanExtreme(self, dim, (a, b) => a >= b),
  }),
  defineOp('aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)', {
    reference: ({ self, dim }) => scanExtreme(self, dim, (a, b) => a <= b),
  }),
]
