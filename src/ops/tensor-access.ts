import { itemSize, type DType, type TypedArray } from '../tensor/dtype.ts'
import { Storage } from '../tensor/storage.ts'
import { contiguousStrides, numelOf, Tensor } from '../tensor/tensor.ts'
import { copyElements, refuseComplex, type NumberArray } from './convert.ts'
import { OperatorArgumentError } from './errors.ts'
import { hasFormat, isDense, preservedStrides, stridesOfFormat } from './memory-layout.ts'

/**
 * A new zero-filled tensor, row-major unless strides (of a dense layout) are given.
 *
 * @throws OperatorArgumentError for a negative size or more bytes than there are
 */
export function allocate(dtype: DType, sizes: readonly number[], strides?: readonly number[]): Tensor {
  const negative = sizes.find((size) => size < 0 || !Number.isInteger(size))
  if (negative !== undefined)
    throw new OperatorArgumentError(
      `trying to create a tensor with dimension ${negative}: [${sizes.join(', ')}]`,
    )
  const storage = storageOf(numelOf(sizes) * itemSize(dtype), sizes)
  return new Tensor(storage, dtype, sizes, { strides: strides ?? contiguousStrides(sizes) })
}

/**
 * As `allocate`, for a result computed from `sources`: without elements where one of them has none. Kernels return
 * such a result as it is, so that running them on meta tensors tells the shape of what they would compute.
 */
export function allocateFor(
  sources: readonly (Tensor | null)[],
  dtype: DType,
  sizes: readonly number[],
  strides?: readonly number[],
): Tensor {
  if (!anyMeta(sources)) return allocate(dtype, sizes, strides)
  checkBytes(numelOf(sizes) * itemSize(dtype), sizes)
  return Tensor.meta(dtype, sizes, strides)
}

/** Whether one of the tensors that there are has no elements to read. */
export function anyMeta(tensors: readonly (Tensor | null)[]): boolean {
  return tensors.some((tensor) => tensor?.isMeta === true)
}

/** Bytes of the largest tensor that an operator makes: as much as one typed array takes everywhere. */
const largestTensor = 2 ** 32

/** @throws OperatorArgumentError when so many bytes are more than one tensor may have, or than there are */
export function checkBytes(bytes: number, sizes: readonly number[]): void {
  if (!(bytes <= largestTensor)) throw tooLarge(bytes, sizes)
}

function storageOf(bytes: number, sizes: readonly number[]): Storage {
  checkBytes(bytes, sizes)
  try {
    return Storage.ofLength(bytes)
  } catch (cause) {
    throw tooLarge(bytes, sizes, cause)
  }
}

function tooLarge(bytes: number, sizes: readonly number[], cause?: unknown): OperatorArgumentError {
  const found = `cannot allocate ${bytes} bytes for a tensor of sizes [${sizes.join(', ')}]`
  return new OperatorArgumentError(found, {}, '', { cause })
}

/** A new zero-filled tensor with the sizes, dtype and order of dimensions in memory of another. */
export function emptyLike(tensor: Tensor, dtype: DType = tensor.dtype): Tensor {
  return allocate(dtype, tensor.sizes, preservedStrides(tensor))
}

/** The tensor itself where it is row-major already, else a row-major copy. */
export function contiguous(tensor: Tensor): Tensor {
  return tensor.isContiguous ? tensor : cloneAs(tensor, tensor.dtype, contiguousStrides(tensor.sizes))
}

/** The tensor itself where it has the memory format already, else a copy in it. */
export function inFormat(tensor: Tensor, format: number | null): Tensor {
  return hasFormat(tensor, format)
    ? tensor
    : cloneAs(tensor, tensor.dtype, stridesOfFormat(tensor.sizes, format, tensor))
}

/** A copy in fresh memory, converted, with the given strides (preserving the layout when left out). */
export function cloneAs(
  tensor: Tensor,
  dtype: DType = tensor.dtype,
  strides: readonly number[] = preservedStrides(tensor),
): Tensor {
  const copy = allocateFor([tensor], dtype, tensor.sizes, strides)
  if (!copy.isMeta) copyElements(copy, tensor)
  return tensor.quantizer === undefined || dtype !== tensor.dtype
    ? copy
    : new Tensor(copy.storage, dtype, copy.sizes, { strides, quantizer: tensor.quantizer })
}

/** The tensor itself where it has the dtype, else a converted copy with the same order of dimensions. */
export function convert(tensor: Tensor, dtype: DType): Tensor {
  return tensor.dtype === dtype ? tensor : cloneAs(tensor, dtype)
}

/**
 * Writes `source`, broadcast and converted, into `destination`. The two may share memory: what is written is what
 * `source` held before.
 *
 * @throws OperatorArgumentError when several elements of `destination` are one place in memory
 */
export function copyInto(destination: Tensor, source: Tensor): void {
  if (destination.sizes.some((size, dim) => size > 1 && destination.strides[dim] === 0))
    throw new OperatorArgumentError(
      'more than one element of the written-to tensor refers to a single memory location',
      {},
      'clone() the tensor before writing to it',
    )
  if (destination.isMeta) return
  copyElements(destination, source.storage === destination.storage ? cloneAs(source) : source)
}

/**
 * All elements in row-major order, exactly `numel` of them: a look at the tensor's own memory where it is
 * contiguous (do not write to it), else a copy. int64 gives a BigInt64Array, bool 0 and 1, halves raw bits.
 */
export function contiguousData(tensor: Tensor): TypedArray {
  return denseData(contiguous(tensor))
}

/** The elements of a dense tensor in the order of memory. */
export function denseData(tensor: Tensor): TypedArray {
  const { data, storageOffset, numel } = tensor
  return storageOffset === 0 && data.length === numel
    ? data
    : data.subarray(storageOffset, storageOffset + numel)
}

/** The tensor itself where its elements fill a block of memory in some order, else a copy that does. */
export function dense(tensor: Tensor): Tensor {
  return isDense(tensor) ? tensor : cloneAs(tensor)
}

/**
 * All elements in row-major order as floats: the tensor's own memory where it is contiguous and float32 or float64
 * (do not write to it). Halves come as float32, integers and bools as float64.
 *
 * @throws UnsupportedOperatorError for complex and quantised tensors
 */
export function floatData(tensor: Tensor): Float32Array | Float64Array {
  refuseComplex(tensor.dtype)
  return contiguousData(convert(tensor, floatingComputeDType(tensor.dtype))) as Float32Array | Float64Array
}

function floatingComputeDType(dtype: DType): 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : 'float64'
}

/** All elements in row-major order as numbers: int64 as float64 (exact up to 2^53), others as they are stored. */
export function numberData(tensor: Tensor): NumberArray {
  const { dtype } = tensor
  return dtype === 'int64' || dtype === 'float16' || dtype === 'bfloat16'
    ? floatData(tensor)
    : (refuseComplex(dtype), contiguousData(tensor) as NumberArray)
}

/** The only element, as a number. */
export function soleNumber(tensor: Tensor): number {
  if (tensor.numel !== 1)
    throw new OperatorArgumentError(`a tensor with ${tensor.numel} elements cannot be converted to a scalar`)
  return numberData(tensor)[0]!
}

export { wrapDimension } from './dimension.ts'
