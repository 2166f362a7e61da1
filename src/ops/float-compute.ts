import { dtypes, isFloating, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { refuseComplex } from './convert.ts'
import { OperatorArgumentError, UnsupportedOperatorError } from './errors.ts'
import { convert } from './tensor-access.ts'

/**
 * The dtype in which the kernels of networks read and store: float32 also for halves, float64 also for integers
 * (exact up to 2^53). Sums are doubles in either.
 *
 * @throws UnsupportedOperatorError for complex and quantised dtypes
 */
export function kernelDType(dtype: DType): 'float32' | 'float64' {
  refuseComplex(dtype)
  return isFloating(dtype) && dtype !== 'float64' ? 'float32' : 'float64'
}

/** The tensor as its kernel dtype; itself where it has it. */
export function forKernel(tensor: Tensor): Tensor {
  return convert(tensor, kernelDType(tensor.dtype))
}

/** All elements of the storage of a tensor that `forKernel` gave. */
export function floatsOf(tensor: Tensor): Float32Array | Float64Array {
  return tensor.data as Float32Array | Float64Array
}

/** @throws OperatorArgumentError naming both dtypes where a parameter has another dtype than the input */
export function requireSameDType(input: Tensor, others: Readonly<Record<string, Tensor | null>>): void {
  for (const [argument, other] of Object.entries(others))
    if (other !== null && other.dtype !== input.dtype)
      throw new OperatorArgumentError(
        `input type (${input.dtype}) and ${argument} type (${other.dtype}) should be the same`,
        { argument },
      )
}

/** @throws OperatorArgumentError for dtypes that an operator on real numbers does not take */
export function requireFloating(tensor: Tensor, operator: string): void {
  if (dtypes[tensor.dtype].category !== 'floating')
    throw new OperatorArgumentError(`${operator} is not implemented for ${tensor.dtype}`)
}

/**
 * A kernel's result in the operator's dtype.
 *
 * @throws UnsupportedOperatorError where an int64 result is too large to be told from its neighbours
 */
export function fromKernel(result: Tensor, dtype: DType): Tensor {
  if (
    dtype === 'int64' &&
    !result.isMeta &&
    result.dtype !== 'int64' &&
    floatsOf(result).some((value) => Math.abs(value) >= 2 ** 53)
  )
    throw new UnsupportedOperatorError('no exact kernel for products of int64 tensors beyond 2^53')
  return convert(result, dtype)
}
