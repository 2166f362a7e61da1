import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, forKernel, kernelDType } from './float-compute.ts'
import { evenOffsets, multiplyPacked, stridedColumns, stridedRows } from './gemm.ts'
import { transpose } from './permuting.ts'
import { allocateFor, checkBytes, floatData } from './tensor-access.ts'

export interface ProductOptions {
  /** One value per column of the result, added before rounding. */
  readonly bias?: Tensor | null
  /** Dtype of the result where it is not the kernel's own. */
  readonly dtype?: 'float32' | 'float64'
}

/**
 * Matrix product of the last two dimensions, … × m × k by … × k × n, the others broadcast; operands of any strides.
 * The result is row-major, in the dtype that kernels store (`kernelDType`).
 *
 * @throws OperatorArgumentError when dtypes or sizes do not fit
 */
export function matrixProduct(left: Tensor, right: Tensor, options: ProductOptions = {}): Tensor {
  checkOperands(left, right)
  const batch = broadcastSizes(left.sizes.slice(0, -2), right.sizes.slice(0, -2))
  const a = expandBatch(forKernel(left), batch)
  const b = expandBatch(forKernel(right), batch)
  const [rows, columns] = [a.sizes.at(-2)!, b.sizes.at(-1)!]
  // Packed rows and columns of one tile: refused before they are described.
  checkBytes(64 * a.sizes.at(-1)!, a.sizes)
  const dtype = options.dtype ?? kernelDType(left.dtype)
  const result = allocateFor([left, right, options.bias ?? null], dtype, [...batch, rows, columns])
  if (result.isMeta) return result
  const bias = options.bias ? Float64Array.from(floatData(options.bias)) : undefined
  forEachMatrix(batch, a, b, (x, y, i) => {
    const product = result.asStrided([rows, columns], [columns, 1], i * rows * columns)
    // The bias belongs to the right operand's columns: they are the rows of the packed product.
    if (columns >= 4 || bias !== undefined)
      multiplyMatrix(transpose(y, 0, 1), transpose(x, 0, 1), transpose(product, 0, 1), bias)
    else multiplyMatrix(x, y, product)
  })
  return result
}

function checkOperands(left: Tensor, right: Tensor): void {
  if (left.dtype !== right.dtype)
    throw new OperatorArgumentError(
      `expected both matrices to have the same dtype, but got: ${left.dtype} and ${right.dtype}`,
    )
  if (left.dtype === 'bool') throw new OperatorArgumentError('matrix product is not implemented for bool')
  if (left.sizes.at(-1) !== right.sizes.at(-2))
    throw new OperatorArgumentError(
      `mat1 and mat2 shapes cannot be multiplied (${left.sizes.join('x')} and ${right.sizes.join('x')})`,
    )
}

function expandBatch(tensor: Tensor, batch: readonly number[]): Tensor {
  return broadcastTo(tensor, [...batch, ...tensor.sizes.slice(-2)])
}

function forEachMatrix(
  batch: readonly number[],
  a: Tensor,
  b: Tensor,
  body: (a: Tensor, b: Tensor, index: number) => void,
): void {
  const count = numelOf(batch)
  const index = batch.map(() => 0)
  for (let i = 0; i < count; i++) {
    body(matrixAt(a, index), matrixAt(b, index), i)
    for (let dim = batch.length - 1; dim >= 0 && ++index[dim]! === batch[dim]; dim--) index[dim] = 0
  }
}

function matrixAt(tensor: Tensor, index: readonly number[]): Tensor {
  const offset = index.reduce((sum, i, dim) => sum + i * tensor.strides[dim]!, tensor.storageOffset)
  return tensor.asStrided(tensor.sizes.slice(-2), tensor.strides.slice(-2), offset)
}

function multiplyMatrix(a: Tensor, b: Tensor, result: Tensor, rowBias?: Float64Array): void {
  const [rows, depth] = a.sizes as [number, number]
  const [rowStride, depthStride] = a.strides as [number, number]
  const [resultRow, resultColumn] = result.strides as [number, number]
  multiplyPacked(
    stridedRows(floatsOf(a), a.storageOffset, rows, rowStride, evenOffsets(depth, depthStride)),
    stridedColumns(floatsOf(b), b.storageOffset, b.sizes[1]!, b.strides[1]!, depth, b.strides[0]!),
    depth,
    {
      data: floatsOf(result),
      offset: result.storageOffset,
      rowStride: resultRow,
      columnStride: resultColumn,
      ...(rowBias && { rowBias }),
    },
  )
}
