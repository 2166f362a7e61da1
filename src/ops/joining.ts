import { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { atLeast3d, expand, unsqueeze } from './expanding.ts'
import { renamed } from './in-place.ts'
import { channelsLastStrides, hasFormat, memoryFormats } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { narrow } from './slicing.ts'
import { reshape } from './reshaping.ts'
import { allocate, allocateFor, anyMeta, copyInto } from './tensor-access.ts'
import { resultType } from './type-promotion.ts'
import { copyElements } from './convert.ts'
import { full } from './creation.ts'
import { Double } from '../ir/ivalue.ts'

/** An empty vector joins anything: torch's oldest exception. */
function isSkipped(tensor: Tensor): boolean {
  return tensor.dim === 1 && tensor.sizes[0] === 0
}

/**
 * The tensors one behind the other along a dimension, in their common dtype.
 *
 * @throws OperatorArgumentError when other dimensions differ
 */
export function cat(tensors: readonly Tensor[], dim: number): Tensor {
  const parts = tensors.filter((tensor) => !isSkipped(tensor))
  const [first] = parts
  if (tensors.length === 0) throw new OperatorArgumentError('cat: expected a non-empty list of Tensors')
  const dtype = resultType(...tensors)
  if (first === undefined) return allocate(dtype, [0])
  const scalar = tensors.findIndex((tensor) => tensor.dim === 0)
  if (scalar !== -1)
    throw new OperatorArgumentError(
      `cat: zero-dimensional tensor (at position ${scalar}) cannot be concatenated`,
    )
  const at = wrapDimension(dim, first.dim)
  for (const part of parts) checkAlike(first, part, at)
  const length = parts.reduce((sum, part) => sum + part.sizes[at]!, 0)
  const sizes = first.sizes.with(at, length)
  const channelsLast = parts.every(isChannelsLast)
  const result = allocateFor(parts, dtype, sizes, channelsLast ? channelsLastStrides(sizes) : undefined)
  if (result.isMeta) return result
  let start = 0
  for (const part of parts) {
    copyElements(narrow(result, at, start, part.sizes[at]!), part)
    start += part.sizes[at]!
  }
  return result
}

function isChannelsLast(tensor: Tensor): boolean {
  const format = tensor.dim === 4 ? memoryFormats.channelsLast : memoryFormats.channelsLast3d
  return (tensor.dim === 4 || tensor.dim === 5) && !tensor.isContiguous && hasFormat(tensor, format)
}

function checkAlike(first: Tensor, part: Tensor, dim: number): void {
  if (part.dim !== first.dim)
    throw new OperatorArgumentError(
      `tensors must have same number of dimensions: got ${first.dim} and ${part.dim}`,
    )
  const other = part.sizes.findIndex((size, d) => d !== dim && size !== first.sizes[d])
  if (other !== -1)
    throw new OperatorArgumentError(
      `sizes of tensors must match except in dimension ${dim}. Expected size ${first.sizes[other]!} but got size ${part.sizes[other]!} at dimension ${other}`,
    )
}

/** The tensors, all of one shape, side by side along a new dimension. */
export function stack(tensors: readonly Tensor[], dim: number): Tensor {
  const [first] = tensors
  if (first === undefined) throw new OperatorArgumentError('stack expects a non-empty TensorList')
  const different = tensors.findIndex((tensor) => tensor.sizes.join() !== first.sizes.join())
  if (different !== -1)
    throw new OperatorArgumentError(
      `stack expects each tensor to be equal size, but got [${first.sizes.join(', ')}] at entry 0 and [${tensors[different]!.sizes.join(', ')}] at entry ${different}`,
    )
  const at = wrapDimension(dim, first.dim + 1)
  return cat(
    tensors.map((tensor) => unsqueeze(tensor, at)),
    at,
  )
}

/** For each vector a view of it, stretched over the grid that all of them span. */
export function meshgrid(tensors: readonly Tensor[], indexing: string): Tensor[] {
  if (tensors.length === 0) throw new OperatorArgumentError('meshgrid expects a non-empty TensorList')
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new OperatorArgumentError(
      `meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`,
    )
  const odd = tensors.find((tensor) => tensor.dim > 1)
  if (odd) throw new OperatorArgumentError(`meshgrid: expected 0D or 1D tensors but got ${odd.dim}D`)
  const [first] = tensors
  const mixed = tensors.find((tensor) => tensor.dtype !== first!.dtype)
  if (mixed)
    throw new OperatorArgumentError(
      `meshgrid expects all tensors to have the same dtype, not ${first!.dtype} and ${mixed.dtype}`,
    )
  const swap = indexing === 'xy' && tensors.length >= 2
  const axes = swap ? [tensors[1]!, tensors[0]!, ...tensors.slice(2)] : tensors
  const sizes = axes.map((axis) => axis.numel)
  const grids = axes.map((axis, i) =>
    expand(
      reshape(
        axis,
        sizes.map((_, d) => (d === i ? -1 : 1)),
      ),
      sizes,
    ),
  )
  return swap ? [grids[1]!, grids[0]!, ...grids.slice(2)] : grids
}

function padSequence(sequences: readonly Tensor[], batchFirst: boolean, value: number): Tensor {
  const [first] = sequences
  if (first === undefined) throw new OperatorArgumentError('received an empty list of sequences')
  const longest = Math.max(...sequences.map((sequence) => sequence.sizes[0] ?? 0))
  const lead = batchFirst ? [sequences.length, longest] : [longest, sequences.length]
  const sizes = [...lead, ...first.sizes.slice(1)]
  if (anyMeta(sequences)) return Tensor.meta(first.dtype, sizes)
  const result = full(sizes, new Double(value), first.dtype)
  sequences.forEach((sequence, i) => {
    const batch = narrow(result, batchFirst ? 0 : 1, i, 1)
    const place = narrow(batch, batchFirst ? 1 : 0, 0, sequence.sizes[0]!)
    copyInto(place, unsqueeze(sequence, batchFirst ? 0 : 1))
  })
  return result
}

function atLeast(tensor: Tensor, rank: number): Tensor {
  return tensor.dim >= rank
    ? tensor
    : reshape(tensor, [...new Array<number>(rank - tensor.dim).fill(1), ...tensor.sizes])
}

/** Columns of vectors, and matrices, side by side. */
function columnStack(tensors: readonly Tensor[]): Tensor {
  return cat(
    tensors.map((tensor) => (tensor.dim < 2 ? reshape(tensor, [tensor.numel, 1]) : tensor)),
    1,
  )
}

const rowStack = defineOp('aten::vstack(Tensor[] tensors) -> Tensor', {
  reference: ({ tensors }) =>
    cat(
      tensors.map((tensor) => atLeast(tensor, 2)),
      0,
    ),
})

const catOperator = defineOp('aten::cat(Tensor[] tensors, int dim=0) -> Tensor', {
  reference: ({ tensors, dim }) => cat(tensors, dim),
})

export const joiningOperators: readonly Operator[] = [
  catOperator,
  renamed(catOperator, 'aten::concat'),
  renamed(catOperator, 'aten::concatenate'),
  defineOp('aten::stack(Tensor[] tensors, int dim=0) -> Tensor', {
    reference: ({ tensors, dim }) => stack(tensors, dim),
  }),
  defineOp('aten::hstack(Tensor[] tensors) -> Tensor', {
    reference: ({ tensors }) => {
      const parts = tensors.map((tensor) => atLeast(tensor, 1))
      return cat(parts, parts[0]?.dim === 1 ? 0 : 1)
    },
  }),
  rowStack,
  renamed(rowStack, 'aten::row_stack'),
  defineOp('aten::dstack(Tensor[] tensors) -> Tensor', {
    reference: ({ tensors }) => cat(tensors.map(atLeast3d), 2),
  }),
  defineOp('aten::column_stack(Tensor[] tensors) -> Tensor', {
    reference: ({ tensors }) => columnStack(tensors),
  }),
  defineOp('aten::meshgrid(Tensor[] tensors) -> Tensor[]', {
    reference: ({ tensors }) => meshgrid(tensors, 'ij'),
  }),
  defineOp('aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]', {
    reference: ({ tensors, indexing }) => meshgrid(tensors, indexing),
  }),
  defineOp(
    'aten::pad_sequence(Tensor[] sequences, bool batch_first=False, float padding_value=0.) -> Tensor',
    {
      reference: ({ sequences, batch_first, padding_value }) =>
        padSequence(sequences, batch_first, padding_value),
    },
  ),
]
