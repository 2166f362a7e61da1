import { Double, scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { isFloating, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { toInt64 } from './convert.ts'
import { allocate, contiguousData, convert, soleNumber } from './tensor-access.ts'

/** A tensor without dimensions that holds the number, converted to the dtype. */
export function scalarTensor(scalar: Scalar, dtype: DType): Tensor {
  const exact = typeof scalar === 'number' || typeof scalar === 'bigint'
  const source = allocate(exact ? 'int64' : 'float64', [])
  if (source.data instanceof BigInt64Array) source.data[0] = toInt64(scalar as number | bigint)
  else source.data[0] = scalarToNumber(scalar)
  return convert(source, dtype)
}

/**
 * The only element of a tensor, as the Scalar that TorchScript sees (`aten::item`).
 *
 * @throws OperatorArgumentError when there is not exactly one element
 */
export function scalarOf(tensor: Tensor): Scalar {
  const value = soleNumber(tensor)
  if (tensor.dtype === 'bool') return value !== 0
  if (isFloating(tensor.dtype)) return new Double(value)
  if (Number.isSafeInteger(value)) return value
  return contiguousData(tensor)[0]!
}
