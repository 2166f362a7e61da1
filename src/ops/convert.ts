import { dtypes, type DType, type TypedArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastStrides } from './memory-layout.ts'
import { UnsupportedOperatorError } from './errors.ts'
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from '../tensor/half.ts'
import { forEachRow, planLoop, rowStrides } from './strided-loop.ts'

type Element = number | bigint

/** A typed array seen as numbers; an int64 array's elements are really bigints. */
export type NumberArray = Exclude<TypedArray, BigInt64Array>

const smallestInt64 = -(2n ** 63n)

/** Whether elements are stored as raw 16-bit patterns, which must be decoded before computing. */
export function isHalf(dtype: DType): boolean {
  return dtype === 'float16' || dtype === 'bfloat16'
}

/** A number as int64, cut towards zero; NaN and what does not fit become the smallest, as x86 converts them. */
export function toInt64(value: Element): bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value)
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : smallestInt64
}

/** Turns a stored element of the dtype into a number or bigint, or nothing where it is one already. */
function decoder(dtype: DType): ((stored: Element) => Element) | undefined {
  if (dtype === 'float16') return (half) => halfToNumber(half as number)
  return dtype === 'bfloat16' ? (half) => bfloat16ToNumber(half as number) : undefined
}

function encoder(from: DType, to: DType): ((value: Element) => Element) | undefined {
  if (to === 'int64') return from === 'int64' ? undefined : toInt64
  if (to === 'bool') return from === 'bool' ? undefined : (value) => (value ? 1 : Number.isNaN(value) ? 1 : 0)
  if (to === 'float16') return (value) => numberToHalf(Math.fround(Number(value)))
  if (to === 'bfloat16') return (value) => numberToBfloat16(Number(value))
  if (from !== 'int64') return undefined
  if (dtypes[to].category === 'integral') return (value) => Number(BigInt.asIntN(32, value as bigint))
  return Number
}

/** How a stored element of one dtype becomes a stored element of another; undefined where typed arrays do it. */
function elementConverter(from: DType, to: DType): ((stored: Element) => Element) | undefined {
  if (from === to) return undefined
  refuseComplex(from)
  refuseComplex(to)
  const decode = decoder(from)
  const encode = encoder(from, to)
  if (decode && encode) return (stored) => encode(decode(stored))
  return decode ?? encode
}

/** @throws UnsupportedOperatorError for complex and quantised elements, which no kernel here computes with */
export function refuseComplex(dtype: DType): void {
  const { category } = dtypes[dtype]
  if (category === 'complex' || category === 'quantized')
    throw new UnsupportedOperatorError(`no kernel for tensors of dtype ${dtype}`)
}

/**
 * Writes `source`, broadcast, into every element of `destination`, converting the dtype. The two must not overlap
 * in memory unless they are the very same elements in the same order; see `copyInto` of tensor-access.ts.
 */
export function copyElements(destination: Tensor, source: Tensor): void {
  const { dtype } = destination
  const units = dtypes[dtype].category === 'complex' ? 2 : 1
  const convert = elementConverter(source.dtype, dtype)
  const loop = planLoop(destination.sizes, [destination.strides, broadcastStrides(source, destination.sizes)])
  const [outStep, inStep] = rowStrides(loop) as [number, number]
  const out = destination.data as NumberArray
  const input = source.data as NumberArray
  const n = loop.rowLength
  const offsets = [destination.storageOffset, source.storageOffset]
  if (units === 2) {
    copyPairs(out, input, loop, offsets)
    return
  }
  const move = convert
    ? (o: number, i: number): void => convertRow(out, o, outStep, input, i, inStep, n, convert)
    : outStep === 1 && inStep === 1
      ? (o: number, i: number): void => out.set(input.subarray(i, i + n), o)
      : (o: number, i: number): void => copyRow(out, o, outStep, input, i, inStep, n)
  forEachRow(loop, offsets, ([o, i]) => move(o!, i!))
}

function copyRow(
  out: NumberArray,
  o: number,
  outStep: number,
  x: NumberArray,
  i: number,
  step: number,
  n: number,
): void {
  if (out instanceof Float32Array && x instanceof Float32Array) {
    for (let k = 0; k < n; k++, o += outStep, i += step) out[o] = x[i]!
    return
  }
  for (let k = 0; k < n; k++, o += outStep, i += step) out[o] = x[i]!
}

function convertRow(
  out: NumberArray,
  o: number,
  outStep: number,
  x: NumberArray,
  i: number,
  step: number,
  n: number,
  convert: (stored: Element) => Element,
): void {
  for (let k = 0; k < n; k++, o += outStep, i += step) out[o] = convert(x[i]!) as number
}

/** Complex elements are pairs of floats: moved, never computed with. */
function copyPairs(
  out: NumberArray,
  x: NumberArray,
  loop: ReturnType<typeof planLoop>,
  offsets: number[],
): void {
  const [outStep, inStep] = rowStrides(loop) as [number, number]
  forEachRow(loop, offsets, ([o, i]) => {
    for (let k = 0; k < loop.rowLength; k++) {
      const to = 2 * (o! + k * outStep)
      const from = 2 * (i! + k * inStep)
      out[to] = x[from]!
      out[to + 1] = x[from + 1]!
    }
  })
}
