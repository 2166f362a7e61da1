import { itemSize, type DType, type TypedArray } from './dtype.ts'
import { LayoutError } from './errors.ts'
import { stridesOf, type BlockedLayout } from './layout.ts'
import { Storage } from './storage.ts'
import { contiguousStrides, Tensor, type TensorOptions } from './tensor.ts'

/** Padding may make a tensor this many times as large, or as many bytes, whichever is more. */
const maxGrowth = 16
const maxPaddedBytes = 2 ** 28

/**
 * The same tensor, its elements where `layout` says; a tensor that lies so already is given back as it is.
 *
 * @throws LayoutError as `copyInLayout`
 */
export function convertLayout(tensor: Tensor, layout: BlockedLayout): Tensor {
  return liesAs(tensor, layout) ? tensor : copyInLayout(tensor, layout)
}

function liesAs(tensor: Tensor, layout: BlockedLayout): boolean {
  if (tensor.layout !== undefined) return tensor.layout.equals(layout)
  const strides = stridesOf(layout, tensor.sizes)
  return (
    strides?.every((stride, axis) => tensor.sizes[axis] === 1 || tensor.strides[axis] === stride) === true
  )
}

/**
 * A copy in memory of its own, its elements where `layout` says and zeros in between; a layout without blocks gives a
 * strided tensor. Bits are copied, of every dtype. A tensor without elements (meta) stays one.
 *
 * @throws LayoutError when the layout is for other tensors, padding would take too much memory, or only a backend can
 * read the tensor
 */
export function copyInLayout(tensor: Tensor, layout: BlockedLayout): Tensor {
  const strides = stridesOf(layout, tensor.sizes)
  if (strides !== undefined) return stridedCopy(tensor, strides)
  const elements = layout.storageLength(tensor.sizes)
  const bytes = elements * itemSize(tensor.dtype)
  if (bytes > Math.max(maxPaddedBytes, maxGrowth * tensor.byteLength))
    throw new LayoutError(`a tensor of ${tensor.byteLength} bytes would take ${bytes} as ${layout.tag}`)
  return copyOf(tensor, elements, { layout }, () => axisOffsets(layout, tensor.sizes))
}

/**
 * The tensor itself where it is strided, else a row-major copy.
 *
 * @throws LayoutError when only a backend can read it
 */
export function plainTensor(tensor: Tensor): Tensor {
  return tensor.layout === undefined ? tensor : stridedCopy(tensor, contiguousStrides(tensor.sizes))
}

function stridedCopy(tensor: Tensor, strides: readonly number[]): Tensor {
  return copyOf(tensor, tensor.numel, { strides }, () => strideOffsets(tensor.sizes, strides))
}

/** What each index of each axis adds to the offset of an element, in elements. */
type AxisOffsets = readonly Float64Array[]

function copyOf(tensor: Tensor, elements: number, place: TensorOptions, to: () => AxisOffsets): Tensor {
  const bytes = elements * itemSize(tensor.dtype)
  const storage = tensor.isMeta ? Storage.meta(bytes) : Storage.ofLength(bytes)
  const { requiresGrad, quantizer } = tensor
  const copy = new Tensor(storage, tensor.dtype, tensor.sizes, { ...place, requiresGrad, quantizer })
  if (!tensor.isMeta && tensor.numel > 0) copyBits(tensor, copy, offsetsOf(tensor), to())
  return copy
}

function offsetsOf(tensor: Tensor): AxisOffsets {
  const { layout, sizes } = tensor
  if (layout === undefined) return strideOffsets(sizes, tensor.strides)
  if (layout.kind === 'blocked') return axisOffsets(layout, sizes)
  throw new LayoutError(
    `only the backend ${layout.backend} can read a tensor that lies as ${layout.tag}`,
    {},
    `run it with that backend, or keep the plain tensor`,
  )
}

function strideOffsets(sizes: readonly number[], strides: readonly number[]): Float64Array[] {
  return sizes.map((size, axis) => Float64Array.from({ length: size }, (_, i) => i * (strides[axis] ?? 0)))
}

/** One table per axis of the tensor: that of group and output channel is put together again. */
function axisOffsets(layout: BlockedLayout, sizes: readonly number[]): Float64Array[] {
  const outer = layout.outerStrides(sizes)
  const tables = layout
    .logicalSizes(sizes)
    .map((size, axis) => Float64Array.from({ length: size }, (_, i) => layout.offsetAlong(axis, i, outer)))
  if (layout.groups === undefined) return tables
  const [groups, channels, ...rest] = tables as [Float64Array, Float64Array, ...Float64Array[]]
  const both = Array.from(groups, (group) => channels.map((channel) => group + channel))
  return [Float64Array.from(both.flatMap((table) => [...table])), ...rest]
}

/** Integers of the same size as an element, or that add up to it: copying floats could change the bits of a NaN. */
function lanesOf(dtype: DType): { readonly type: DType; readonly lanes: number } {
  const size = itemSize(dtype)
  if (size < 4) return { type: size === 1 ? 'uint8' : 'float16', lanes: 1 }
  return { type: 'int32', lanes: size / 4 }
}

function copyBits(source: Tensor, target: Tensor, from: AxisOffsets, to: AxisOffsets): void {
  const { type, lanes } = lanesOf(source.dtype)
  const [read, write] = [source.storage.as(type), target.storage.as(type)]
  const last = source.dim - 1
  const visit = (axis: number, sourceAt: number, targetAt: number): void => {
    const [sources, targets] = [from[axis], to[axis]]
    if (sources === undefined || targets === undefined) copyElement(read, sourceAt, write, targetAt, lanes)
    else if (axis === last && lanes === 1) copyLine(read, sourceAt, sources, write, targetAt, targets)
    else
      for (let i = 0; i < sources.length; i++)
        visit(axis + 1, sourceAt + (sources[i] as number), targetAt + (targets[i] as number))
  }
  visit(0, source.storageOffset, target.storageOffset)
}

function copyElement(
  read: TypedArray,
  sourceAt: number,
  write: TypedArray,
  targetAt: number,
  lanes: number,
): void {
  for (let lane = 0; lane < lanes; lane++)
    write[targetAt * lanes + lane] = read[sourceAt * lanes + lane] as number
}

function copyLine(
  read: TypedArray,
  sourceAt: number,
  sources: Float64Array,
  write: TypedArray,
  targetAt: number,
  targets: Float64Array,
): void {
  for (let i = 0; i < sources.length; i++)
    write[targetAt + (targets[i] as number)] = read[sourceAt + (sources[i] as number)] as number
}
