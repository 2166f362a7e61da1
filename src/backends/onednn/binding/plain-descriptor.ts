import { itemSize, type DType } from '../../../tensor/dtype.ts'
import { numelOf } from '../../../tensor/tensor.ts'
import type { MemoryDescriptor } from './dnnl.ts'

/**
 * Strided memory that the library cannot describe: of another dtype (int64, float64, bool), without elements, or, to version
 * 3, with elements in several places. Only the reference kernels compute with it.
 */
export class PlainDescriptor implements MemoryDescriptor {
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly byteLength: number
  readonly tag = 'plain'

  constructor(dtype: DType, sizes: readonly number[], strides: readonly number[]) {
    this.dtype = dtype
    this.sizes = sizes
    this.strides = strides
    const reach = sizes.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 1)
    this.byteLength = numelOf(sizes) === 0 ? 0 : reach * itemSize(dtype)
  }

  get key(): string {
    return `${this.dtype} ${this.sizes.join('x')} ${this.strides.join('x')}`
  }

  /** The library never sees it. */
  get layout(): undefined {
    return undefined
  }

  equals(other: MemoryDescriptor): boolean {
    return (
      other instanceof PlainDescriptor &&
      other.dtype === this.dtype &&
      other.sizes.join() === this.sizes.join() &&
      this.sizes.every((size, i) => size === 1 || other.strides[i] === this.strides[i])
    )
  }
}

/** Whether steps along one axis lead to elements that steps along another lead to; an axis of stride 0 does not count. */
export function overlaps(sizes: readonly number[], strides: readonly number[]): boolean {
  const axes = sizes
    .map((size, axis) => ({ size, stride: strides[axis] ?? 0 }))
    .filter(({ size, stride }) => size > 1 && stride > 0)
    .sort((a, b) => a.stride - b.stride)
  return axes.some((axis, i) => {
    const inner = axes[i - 1]
    return inner !== undefined && axis.stride < inner.stride * inner.size
  })
}
