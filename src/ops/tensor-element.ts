import { Complex, Double, type Scalar } from '../ir/ivalue.ts'
import { dtypes } from '../tensor/dtype.ts'
import { bfloat16ToNumber, halfToNumber } from '../tensor/half.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { wrapInt } from './int64.ts'

/** The element at `index` of the storage, in elements, as a TorchScript value; a quantised one is what it stands for. */
export function elementAt(tensor: Tensor, index: number): Scalar {
  const { dtype, data, quantizer } = tensor
  if (data instanceof BigInt64Array) return wrapInt(data[index]!)
  if (dtypes[dtype].category === 'complex') return new Complex(data[index * 2]!, data[index * 2 + 1]!)
  const raw = data[index]!
  if (dtype === 'bool') return raw !== 0
  if (dtype === 'float16') return new Double(halfToNumber(raw))
  if (dtype === 'bfloat16') return new Double(bfloat16ToNumber(raw))
  if (dtypes[dtype].category === 'integral') return raw
  if (quantizer?.scheme === 'per_tensor_affine')
    return new Double((raw - quantizer.zeroPoint) * quantizer.scale)
  return new Double(raw)
}

/** Every element in row-major order. */
export function* elementsOf(tensor: Tensor): Generator<Scalar, void, undefined> {
  for (const offset of offsetsOf(tensor)) yield elementAt(tensor, offset)
}

/** Storage offsets of the elements in row-major order. */
function* offsetsOf(tensor: Tensor): Generator<number, void, undefined> {
  const { sizes, strides } = tensor
  if (tensor.numel === 0) return
  const index = sizes.map(() => 0)
  let offset = tensor.storageOffset
  for (let count = 0; count < tensor.numel; count++) {
    yield offset
    for (let d = sizes.length - 1; d >= 0; d--) {
      offset += strides[d]!
      if (++index[d]! < sizes[d]!) break
      offset -= strides[d]! * sizes[d]!
      index[d] = 0
    }
  }
}

/**
 * The element of a tensor that has only one.
 *
 * @throws OperatorArgumentError
 */
export function singleElement(tensor: Tensor): Scalar {
  if (tensor.numel !== 1)
    throw new OperatorArgumentError(
      `a tensor with ${tensor.numel} elements (sizes [${tensor.sizes.join(', ')}]) is no single value`,
    )
  return elementAt(tensor, tensor.storageOffset)
}
