import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'

/** `c10::MemoryFormat`'s codes. */
export const memoryFormats = { contiguous: 0, preserve: 1, channelsLast: 2, channelsLast3d: 3 } as const

/** Strides in elements of a layout that stores the dimensions in `order`, slowest first. */
export function stridesInOrder(sizes: readonly number[], order: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length)
  let stride = 1
  for (let i = order.length - 1; i >= 0; i--) {
    const dim = order[i]!
    strides[dim] = stride
    stride *= Math.max(sizes[dim]!, 1)
  }
  return strides
}

/** N, spatial dimensions, C. */
export function channelsLastStrides(sizes: readonly number[]): number[] {
  const spatial = sizes.map((_, dim) => dim).slice(2)
  return stridesInOrder(sizes, [0, ...spatial, 1])
}

/**
 * Strides of a new tensor of the given memory format; `preserve` follows `like`.
 *
 * @throws OperatorArgumentError when the format is for another number of dimensions
 */
export function stridesOfFormat(sizes: readonly number[], format: number | null, like?: Tensor): number[] {
  if (format === memoryFormats.channelsLast || format === memoryFormats.channelsLast3d) {
    const rank = format === memoryFormats.channelsLast ? 4 : 5
    if (sizes.length !== rank)
      throw new OperatorArgumentError(
        `required rank ${rank} tensor to use channels_last format, not ${sizes.length}`,
      )
    return channelsLastStrides(sizes)
  }
  return format === memoryFormats.preserve && like ? preservedStrides(like) : contiguousStrides(sizes)
}

export function hasFormat(tensor: Tensor, format: number | null): boolean {
  if (format === memoryFormats.preserve) return true
  if (format === memoryFormats.channelsLast) return tensor.dim === 4 && matchesChannelsLast(tensor)
  if (format === memoryFormats.channelsLast3d) return tensor.dim === 5 && matchesChannelsLast(tensor)
  return tensor.isContiguous
}

function matchesChannelsLast(tensor: Tensor): boolean {
  const expected = channelsLastStrides(tensor.sizes)
  return (
    tensor.numel === 0 ||
    tensor.sizes.every((size, dim) => size === 1 || tensor.strides[dim] === expected[dim])
  )
}

/** Whether the elements fill a block of memory, each once, in whatever order. */
export function isDense(tensor: Tensor): boolean {
  if (tensor.isContiguous) return true
  const dims = tensor.sizes.map((_, dim) => dim).filter((dim) => tensor.sizes[dim] !== 1)
  dims.sort((a, b) => tensor.strides[a]! - tensor.strides[b]!)
  let expected = 1
  return dims.every((dim) => {
    const matches = tensor.strides[dim] === expected
    expected *= tensor.sizes[dim]!
    return matches
  })
}

/** Strides of a copy that keeps the order of dimensions in memory: the tensor's own where it is dense. */
export function preservedStrides(tensor: Tensor): number[] {
  return isDense(tensor) ? [...tensor.strides] : elementwiseStrides(tensor.sizes, [tensor])
}

/**
 * Strides that libtorch gives the result of an element-wise operator: its operands' common layout, else an order of
 * dimensions found by comparing their strides (aten/src/ATen/TensorIterator.cpp, reorder_dimensions).
 */
export function elementwiseStrides(sizes: readonly number[], operands: readonly Tensor[]): number[] {
  const common = commonLayout(sizes, operands)
  if (common) return common
  const strides = operands.map((operand) => broadcastStrides(operand, sizes))
  const order = sizes.map((_, dim) => sizes.length - 1 - dim)
  for (let i = 1; i < order.length; i++) {
    let current = i
    for (let before = i - 1; before >= 0; before--) {
      const comparison = compareDims(order[before]!, order[current]!, sizes, strides)
      if (comparison < 0) break
      if (comparison === 0) continue
      const dim = order[before]!
      order[before] = order[current]!
      order[current] = dim
      current = before
    }
  }
  return stridesInOrder(sizes, order.reverse())
}

function commonLayout(sizes: readonly number[], operands: readonly Tensor[]): number[] | undefined {
  const sameShape = operands.every(
    (operand) => operand.dim === sizes.length && operand.sizes.every((size, dim) => size === sizes[dim]),
  )
  if (!sameShape) return undefined
  if (operands.every((operand) => operand.isContiguous)) return contiguousStrides(sizes)
  if (operands.every((operand) => hasFormat(operand, memoryFormats.channelsLast)))
    return channelsLastStrides(sizes)
  const [first] = operands
  if (
    first &&
    operands.every((operand) => isDense(operand) && operand.strides.join() === first.strides.join())
  )
    return [...first.strides]
  return undefined
}

/** Positive when `a` must come after `b` (steps further), 0 when no operand tells. `a` is the faster so far. */
function compareDims(a: number, b: number, sizes: readonly number[], strides: readonly number[][]): number {
  for (const list of strides) {
    const strideA = list[a]!
    const strideB = list[b]!
    if (strideA === 0 || strideB === 0) continue
    if (strideA !== strideB) return strideA - strideB
    if (sizes[a]! > sizes[b]!) return 1
  }
  return 0
}

/** The strides with which a tensor is read as if it had the (broadcast) sizes: 0 where it is repeated. */
export function broadcastStrides(tensor: Tensor, sizes: readonly number[]): number[] {
  const lead = sizes.length - tensor.dim
  return sizes.map((size, dim) => {
    if (dim < lead) return 0
    return tensor.sizes[dim - lead] === 1 && size !== 1 ? 0 : tensor.strides[dim - lead]!
  })
}
