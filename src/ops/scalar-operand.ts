import { Double, scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { copyElements, toInt64 } from './convert.ts'
import { allocate } from './tensor-access.ts'
import { refuseComplex } from './convert.ts'

/** A tensor without dimensions that holds the number, converted to the dtype. */
export function scalarTensor(scalar: Scalar, dtype: DType): Tensor {
  refuseComplex(dtype)
  const exact = typeof scalar === 'number' || typeof scalar === 'bigint'
  const source = allocate(exact ? 'int64' : 'float64', [])
  if (source.data instanceof BigInt64Array) source.data[0] = toInt64(scalar as number | bigint)
  else source.data[0] = scalarToNumber(scalar)
  if (source.dtype === dtype) return source
  const result = allocate(dtype, [])
  copyElements(result, source)
  return result
}

/** The number that a tensor without dimensions holds, as the Scalar that TorchScript sees. */
export function scalarOf(tensor: Tensor): Scalar {
  const [value = 0] = [...elementsOf(tensor)]
  if (tensor.dtype === 'bool') return value !== 0
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return tensor.dtype.startsWith('float') || tensor.dtype === 'bfloat16' ? new Double(value) : value
}

function elementsOf(tensor: Tensor): Iterable<number | bigint> {
  const half = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16'
  const source = half ? convertToFloat(tensor) : tensor
  return [source.data[source.storageOffset] ?? 0]
}

function convertToFloat(tensor: Tensor): Tensor {
  const result = allocate('float32', tensor.sizes)
  copyElements(result, tensor)
  return result
}
