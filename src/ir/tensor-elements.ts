import { dtypes } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Complex } from './ivalue.ts'

export type Element = number | bigint | Complex

/** The elements in row-major order, wherever the strides put them; a quantised element as the stored integer. */
export function* tensorElements(tensor: Tensor): Generator<Element, void, undefined> {
  const read = readerOf(tensor)
  const last = tensor.dim - 1
  const index = new Array<number>(tensor.dim).fill(0)
  let offset = tensor.storageOffset
  for (let n = 0; n < tensor.numel; n++) {
    yield read(offset)
    for (let d = last; d >= 0; d--) {
      const stride = tensor.strides[d] ?? 0
      const next = (index[d] ?? 0) + 1
      offset += stride
      index[d] = next
      if (next < (tensor.sizes[d] ?? 0)) break
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

function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** The upper half of a float32. */
function bfloat16ToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0
}
