import { dtypes, itemSize, type DType } from '../tensor/dtype.ts'
import { Storage } from '../tensor/storage.ts'
import { plainTensor } from '../tensor/convert-layout.ts'
import { contiguousStrides, numelOf, Tensor } from '../tensor/tensor.ts'
import { Complex } from './ivalue.ts'
import { isNumber, toNumber } from './literal-text.ts'

export type Element = number | bigint | Complex

/**
 * The elements in row-major order, wherever they lie; a quantised element as the stored integer.
 *
 * @throws LayoutError when only a backend can read the tensor
 */
export function* tensorElements(given: Tensor): Generator<Element, void, undefined> {
  const tensor = plainTensor(given)
  const read = readerOf(tensor)
  for (const offset of offsetsOf(tensor)) yield read(offset)
}

function* offsetsOf({ sizes, strides, numel, storageOffset }: Tensor): Generator<number, void, undefined> {
  const index = sizes.map(() => 0)
  let offset = storageOffset
  for (let n = 0; n < numel; n++) {
    yield offset
    for (let d = sizes.length - 1; d >= 0; d--) {
      const stride = strides[d] ?? 0
      const next = (index[d] ?? 0) + 1
      offset += stride
      index[d] = next
      if (next < (sizes[d] ?? 0)) break
      offset -= stride * next
      index[d] = 0
    }
  }
}

function readerOf({ dtype, data }: Tensor): (offset: number) => Element {
  const at = (offset: number): number => Number(data[offset] ?? 0)
  if (dtype === 'float16') return (offset) => halfToNumber(at(offset))
  if (dtype === 'bfloat16') return (offset) => bfloat16ToNumber(at(offset))
  if (dtype === 'complex32')
    return (offset) => new Complex(halfToNumber(at(2 * offset)), halfToNumber(at(2 * offset + 1)))
  if (dtypes[dtype].category === 'complex') return (offset) => new Complex(at(2 * offset), at(2 * offset + 1))
  return (offset) => data[offset] ?? 0
}

/** What a tensor of these strides needs, in bytes. */
export function extentOf(dtype: DType, sizes: readonly number[], strides: readonly number[]): number {
  if (numelOf(sizes) === 0) return 0
  return itemSize(dtype) * sizes.reduce((last, size, d) => last + (size - 1) * (strides[d] ?? 0), 1)
}

/** A new tensor with the elements in row-major order; the last one fills what is left. */
export function tensorOfElements(
  dtype: DType,
  sizes: readonly number[],
  elements: readonly Element[],
  strides: readonly number[] = contiguousStrides(sizes),
): Tensor {
  const tensor = new Tensor(Storage.ofLength(extentOf(dtype, sizes, strides)), dtype, sizes, { strides })
  const write = writerOf(tensor)
  let n = 0
  for (const offset of offsetsOf(tensor)) write(offset, elements[n++] ?? elements.at(-1) ?? 0)
  return tensor
}

function writerOf({ dtype, data }: Tensor): (offset: number, element: Element) => void {
  const encode = encoderOf(dtype)
  if (dtypes[dtype].category === 'complex')
    return (offset, element) => {
      data[2 * offset] = encode(realOf(element))
      data[2 * offset + 1] = encode(element instanceof Complex ? element.imag : 0)
    }
  if (data instanceof BigInt64Array)
    return (offset, element) => {
      data[offset] = typeof element === 'bigint' ? element : BigInt(Math.trunc(realOf(element)) || 0)
    }
  return (offset, element) => {
    data[offset] = encode(realOf(element))
  }
}

function realOf(element: Element): number {
  return element instanceof Complex ? element.real : Number(element)
}

function encoderOf(dtype: DType): (value: number) => number {
  if (dtype === 'float16' || dtype === 'complex32') return numberToHalf
  return dtype === 'bfloat16' ? numberToBfloat16 : (value) => value
}

function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(Math.floor(Math.log2(size)), -14)
  return sign | (((exponent + 14) << 10) + roundToEven(size * 2 ** (10 - exponent)))
}

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** A bfloat16 is the upper half of a float32. */
function bfloat16ToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0
}

function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  const word = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
}

/** The elements that words spell, in pairs where the dtype is complex; undefined if they spell none of that dtype. */
export function elementsOfWords(words: readonly string[], dtype: DType): Element[] | undefined {
  if (!words.every((word) => isNumber(word))) return undefined
  if (dtype === 'int64')
    return words.every((word) => /^[-+]?\d+$/.test(word)) ? words.map((word) => BigInt(word)) : undefined
  const numbers = words.map(toNumber)
  if (dtypes[dtype].category !== 'complex') return numbers
  const pairs = numbers.length / 2
  if (!Number.isInteger(pairs)) return undefined
  return Array.from({ length: pairs }, (_, i) => new Complex(numbers[2 * i] ?? 0, numbers[2 * i + 1] ?? 0))
}
