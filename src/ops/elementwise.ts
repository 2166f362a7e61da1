import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes } from './broadcast.ts'
import { refuseComplex, type NumberArray } from './convert.ts'
import { broadcastStrides, elementwiseStrides } from './memory-layout.ts'
import { forEachRow, planLoop, rowStrides } from './strided-loop.ts'
import { allocateFor, convert, dense, denseData } from './tensor-access.ts'
import { floatingType } from './type-promotion.ts'

export type FloatArray = Float32Array | Float64Array

/** Computes `n` results from as many elements: a loop of its own, so that the engine can compile it for itself. */
export type UnaryRow = (out: FloatArray, x: FloatArray, n: number) => void

/** One row of a float32 result, written at `out[o…o+n)`; the operands step by `as` and `bs` (0 where broadcast). */
export type BinaryRow = (
  out: Float32Array,
  o: number,
  a: Float32Array,
  ai: number,
  as: number,
  b: Float32Array,
  bi: number,
  bs: number,
  n: number,
) => void

export interface BinaryKernel {
  readonly number: (a: number, b: number) => number | boolean
  /** For int64; needed wherever the operator computes on integers. */
  readonly bigint?: (a: bigint, b: bigint) => bigint | boolean
  /** For smaller integers, where the float formula would not wrap around. */
  readonly integer?: (a: number, b: number) => number
  /** A written-out loop for operators that models spend time in. */
  readonly row?: BinaryRow
}

export interface UnaryKernel {
  readonly number: (x: number) => number | boolean
  readonly bigint?: (x: bigint) => bigint | boolean
  readonly row?: UnaryRow
}

/**
 * The dtype in which elements are computed: halves through float32, all others as they are.
 *
 * @throws UnsupportedOperatorError for complex and quantised dtypes
 */
export function computeDType(dtype: DType): DType {
  refuseComplex(dtype)
  return dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype
}

/**
 * A float-valued function of each element: in the tensor's dtype, float32 for integers and bools. The result has
 * the tensor's order of dimensions in memory.
 */
export function elementwiseUnary(self: Tensor, fn: (x: number) => number, row?: UnaryRow): Tensor {
  const dtype = floatingType(self.dtype)
  return mapUnary(convert(self, dtype), dtype, row ? { number: fn, row } : { number: fn })
}

/** A function of each element, computed in the tensor's own dtype, stored as `dtype`. */
export function mapUnary(self: Tensor, dtype: DType, kernel: UnaryKernel): Tensor {
  const compute = computeDType(self.dtype)
  const source = dense(convert(self, compute))
  const stored = dtype === self.dtype ? compute : dtype
  const result = allocateFor([source], stored, source.sizes, source.strides)
  if (!result.isMeta) runUnary(result, source, kernel)
  return convert(result, dtype)
}

function runUnary(result: Tensor, source: Tensor, { number, bigint, row }: UnaryKernel): void {
  const x = denseData(source)
  const out = result.data
  if (row && isFloatArray(x) && isFloatArray(out)) row(out, x, x.length)
  else if (x instanceof BigInt64Array)
    mapArray(out as NumberArray, x as unknown as NumberArray, bigint as never)
  else if (x instanceof Float32Array && out instanceof Float32Array) mapFloat32(out, x, number as never)
  else mapArray(out as NumberArray, x, number as never)
}

function isFloatArray(array: unknown): array is FloatArray {
  return array instanceof Float32Array || array instanceof Float64Array
}

function mapArray(out: NumberArray, x: NumberArray, fn: (x: number) => number): void {
  for (let i = 0; i < x.length; i++) out[i] = fn(x[i]!)
}

// Apart from `mapArray`, so that the engine compiles it for this type alone.
function mapFloat32(out: Float32Array, x: Float32Array, fn: (x: number) => number): void {
  for (let i = 0; i < x.length; i++) out[i] = fn(x[i]!)
}

/**
 * A function of each pair of elements after broadcasting, computed in `common` and stored as `dtype`
 * (a result of dtype bool takes any truthy value as true).
 *
 * @throws OperatorArgumentError when the sizes do not broadcast
 */
export function mapBinary(a: Tensor, b: Tensor, common: DType, dtype: DType, kernel: BinaryKernel): Tensor {
  const compute = computeDType(common)
  const sizes = broadcastSizes(a.sizes, b.sizes)
  const strides = elementwiseStrides(sizes, [a, b])
  const stored = dtype === common ? compute : dtype
  const result = allocateFor([a, b], stored, sizes, strides)
  if (!result.isMeta) runBinary(result, convert(a, compute), convert(b, compute), kernel)
  return convert(result, dtype)
}

function runBinary(result: Tensor, a: Tensor, b: Tensor, kernel: BinaryKernel): void {
  const { sizes } = result
  const loop = planLoop(sizes, [result.strides, broadcastStrides(a, sizes), broadcastStrides(b, sizes)])
  const [, as, bs] = rowStrides(loop) as [number, number, number]
  const n = loop.rowLength
  const [out, x, y] = [result.data, a.data, b.data]
  const offsets = [0, a.storageOffset, b.storageOffset]
  const { row } = kernel
  if (row && out instanceof Float32Array && x instanceof Float32Array && y instanceof Float32Array)
    forEachRow(loop, offsets, ([o, i, j]) => row(out, o!, x, i!, as, y, j!, bs, n))
  else {
    const fn = scalarFunction(result.dtype, a.dtype, kernel)
    forEachRow(loop, offsets, ([o, i, j]) =>
      zipRow(out as NumberArray, o!, x as NumberArray, i!, as, y as NumberArray, j!, bs, n, fn),
    )
  }
}

function scalarFunction(
  result: DType,
  operands: DType,
  kernel: BinaryKernel,
): (a: number, b: number) => number {
  const integral = operands !== 'float32' && operands !== 'float64'
  const fn = (
    operands === 'int64' ? kernel.bigint : integral ? (kernel.integer ?? kernel.number) : kernel.number
  ) as (a: number, b: number) => number
  return result === 'bool' ? (a, b) => (fn(a, b) ? 1 : 0) : fn
}

function zipRow(
  out: NumberArray,
  o: number,
  a: NumberArray,
  i: number,
  as: number,
  b: NumberArray,
  j: number,
  bs: number,
  n: number,
  fn: (a: number, b: number) => number,
): void {
  for (let k = 0; k < n; k++, i += as, j += bs) out[o + k] = fn(a[i]!, b[j]!)
}
