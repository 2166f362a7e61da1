import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension, wrapDimensions } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { indexSelect } from './gathering.ts'
import { withInPlace } from './in-place.ts'
import { cat } from './joining.ts'
import { preservedStrides } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { diagonal, narrow } from './slicing.ts'
import { allocate, allocateFor, cloneAs, copyInto, numberData } from './tensor-access.ts'

/** The tensor several times over in each dimension; more counts than dimensions put new ones in front. */
export function repeat(self: Tensor, counts: readonly number[]): Tensor {
  const lead = counts.length - self.dim
  if (lead < 0)
    throw new OperatorArgumentError(
      `number of dimensions of repeat dims (${counts.length}) can not be smaller than number of dimensions of tensor (${self.dim})`,
    )
  const sizes = [...new Array<number>(lead).fill(1), ...self.sizes]
  const strides = [...new Array<number>(lead).fill(0), ...self.strides]
  const result = allocateFor(
    [self],
    self.dtype,
    sizes.map((size, dim) => size * counts[dim]!),
  )
  const interleaved = sizes.flatMap((size, dim) => [counts[dim]!, size])
  const source = self.asStrided(
    interleaved,
    strides.flatMap((stride) => [0, stride]),
  )
  if (result.numel > 0 && !result.isMeta)
    copyInto(result.asStrided(interleaved, interleavedStrides(result, sizes)), source)
  return result
}

function interleavedStrides(result: Tensor, sizes: readonly number[]): number[] {
  return result.strides.flatMap((stride, dim) => [stride * sizes[dim]!, stride])
}

function tile(self: Tensor, counts: readonly number[]): Tensor {
  const missing = Math.max(self.dim - counts.length, 0)
  return repeat(self, [...new Array<number>(missing).fill(1), ...counts])
}

/** The indices 0, 1, …, each as often as `repeats` says. */
function repeatedIndices(repeats: Tensor, outputSize: number | null): Tensor {
  if (repeats.dim > 1)
    throw new OperatorArgumentError(`repeat_interleave only accept 1D vector as repeat, not ${repeats.dim}D`)
  const counts = [...numberData(repeats)]
  const negative = counts.find((count) => count < 0)
  if (negative !== undefined) throw new OperatorArgumentError(`repeats can not be negative: ${negative}`)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (outputSize !== null && outputSize !== total)
    throw new OperatorArgumentError(`allocated size ${outputSize} does not match required size ${total}`)
  const indices = allocate('int64', [total])
  const out = indices.data as BigInt64Array
  let at = 0
  counts.forEach((count, i) => (out.fill(BigInt(i), at, at + count), (at += count)))
  return indices
}

function repeatInterleave(
  self: Tensor,
  repeats: Tensor,
  dim: number | null,
  outputSize: number | null,
): Tensor {
  const source = dim === null ? reshape(self, [-1]) : self
  const at = wrapDimension(dim ?? 0, source.dim)
  const size = source.sizes[at] ?? 1
  const counts = repeats.numel === 1 ? reshape(repeats, [1]).asStrided([size], [0]) : repeats
  if (counts.numel !== size)
    throw new OperatorArgumentError(
      `repeats must have the same size as input along dim: ${counts.numel} and ${size}`,
    )
  return indexSelect(source, at, repeatedIndices(counts, outputSize))
}

function repeatEach(self: Tensor, times: number, dim: number | null, outputSize: number | null): Tensor {
  const count = allocate('int64', [1])
  count.data[0] = BigInt(Math.trunc(times))
  return repeatInterleave(self, count, dim, outputSize)
}

/** The elements in reverse order along the dimensions. */
export function flip(self: Tensor, dims: readonly number[]): Tensor {
  const reversed = dims.length === 0 ? [] : wrapDimensions(dims, self.dim)
  if (self.numel === 0 || reversed.length === 0) return cloneAs(self)
  const strides = self.strides.map((stride, dim) => (reversed.includes(dim) ? -stride : stride))
  const last = reversed.reduce(
    (sum, dim) => sum + (self.sizes[dim]! - 1) * self.strides[dim]!,
    self.storageOffset,
  )
  return cloneAs(self.asStrided(self.sizes, strides, last), self.dtype, preservedStrides(self))
}

/** The elements shifted along the dimensions; what leaves at the end comes back at the front. */
function roll(self: Tensor, shifts: readonly number[], dims: readonly number[]): Tensor {
  if (shifts.length === 0) throw new OperatorArgumentError('`shifts` required')
  if (dims.length === 0 && shifts.length === 1)
    return reshape(roll(reshape(self, [-1]), shifts, [0]), self.sizes)
  if (dims.length !== shifts.length)
    throw new OperatorArgumentError(
      `shifts and dimensions must align. shifts: ${shifts.length}, dims: ${dims.length}`,
    )
  if (self.numel === 0) return cloneAs(self)
  return dims.reduce((tensor, dim, i) => rollOne(tensor, shifts[i]!, wrapDimension(dim, self.dim)), self)
}

function rollOne(self: Tensor, shift: number, dim: number): Tensor {
  const size = self.sizes[dim]!
  const start = ((-shift % size) + size) % size
  return cat([narrow(self, dim, start, size - start), narrow(self, dim, 0, start)], dim)
}

/** A quarter turn, `times` times, from the first towards the second dimension. */
function rotate90(self: Tensor, times: number, dims: readonly number[]): Tensor {
  const [a = 0, b = 1] = dims
  if (dims.length !== 2 || wrapDimension(a, self.dim) === wrapDimension(b, self.dim))
    throw new OperatorArgumentError(`expected two different rotation dims, but got [${dims.join(', ')}]`)
  const turns = ((times % 4) + 4) % 4
  if (turns === 1) return transpose(flip(self, [b]), a, b)
  if (turns === 2) return flip(self, dims)
  return turns === 3 ? flip(transpose(self, a, b), [b]) : cloneAs(self)
}

/** The elements on one side of a diagonal, zeros on the other. */
function triangle(self: Tensor, keeps: (row: number, column: number) => boolean): Tensor {
  if (self.dim < 2)
    throw new OperatorArgumentError(`tril and triu need at least 2 dimensions, got ${self.dim}`)
  const result = allocateFor([self], self.dtype, self.sizes)
  if (result.isMeta) return result
  const [rows, columns] = [self.sizes.at(-2)!, self.sizes.at(-1)!]
  for (let row = 0; row < rows; row++) {
    let first = 0
    while (first < columns && !keeps(row, first)) first++
    let end = first
    while (end < columns && keeps(row, end)) end++
    const part = (tensor: Tensor): Tensor => narrow(narrow(tensor, -2, row, 1), -1, first, end - first)
    if (end > first) copyInto(part(result), part(self))
  }
  return result
}

/** The vectors along the last dimension as diagonals of matrices. */
function diagonalEmbed(self: Tensor, offset: number, dim1: number, dim2: number): Tensor {
  const rank = self.dim + 1
  const [a, b] = [wrapDimension(dim1, rank), wrapDimension(dim2, rank)]
  if (a === b) throw new OperatorArgumentError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`)
  const side = (self.sizes.at(-1) ?? 1) + Math.abs(offset)
  const others = [...self.sizes.slice(0, -1)]
  const sizes = Array.from({ length: rank }, (_, dim) => (dim === a || dim === b ? side : others.shift()!))
  const result = allocateFor([self], self.dtype, sizes)
  copyInto(diagonal(result, offset, a, b), self)
  return result
}

function diag(self: Tensor, offset: number): Tensor {
  if (self.dim === 1) return diagonalEmbed(self, offset, 0, 1)
  const [rows = 0, columns = 0] = self.sizes
  if (self.dim === 2 && (offset > columns || -offset > rows))
    throw new OperatorArgumentError(`diag: diagonal ${offset} lies outside a matrix of ${rows} by ${columns}`)
  if (self.dim === 2) return cloneAs(diagonal(self, offset, 0, 1))
  throw new OperatorArgumentError(`matrix or a vector expected, but got ${self.dim} dimensions`)
}

export const rearrangingOperators: readonly Operator[] = [
  defineOp('aten::repeat(Tensor self, SymInt[] repeats) -> Tensor', {
    reference: ({ self, repeats }) => repeat(self, repeats),
  }),
  defineOp('aten::tile(Tensor self, int[] dims) -> Tensor', {
    reference: ({ self, dims }) => tile(self, dims),
  }),
  defineOp('aten::repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor', {
    reference: ({ repeats, output_size }) => repeatedIndices(repeats, output_size),
  }),
  defineOp(
    'aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor',
    { reference: ({ self, repeats, dim, output_size }) => repeatInterleave(self, repeats, dim, output_size) },
  ),
  defineOp(
    'aten::repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> Tensor',
    { reference: ({ self, repeats, dim, output_size }) => repeatEach(self, repeats, dim, output_size) },
  ),
  defineOp('aten::flip(Tensor self, int[] dims) -> Tensor', {
    reference: ({ self, dims }) => flip(self, dims),
  }),
  defineOp('aten::fliplr(Tensor self) -> Tensor', { reference: ({ self }) => flip(self, [1]) }),
  defineOp('aten::flipud(Tensor self) -> Tensor', { reference: ({ self }) => flip(self, [0]) }),
  defineOp('aten::roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor', {
    reference: ({ self, shifts, dims }) => roll(self, shifts, dims),
  }),
  defineOp('aten::rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor', {
    reference: ({ self, k, dims }) => rotate90(self, k, dims),
  }),
  ...withInPlace(
    defineOp('aten::tril(Tensor self, int diagonal=0) -> Tensor', {
      reference: (args) => triangle(args.self, (row, column) => column - row <= args.diagonal),
    }),
    defineOp('aten::triu(Tensor self, int diagonal=0) -> Tensor', {
      reference: (args) => triangle(args.self, (row, column) => column - row >= args.diagonal),
    }),
  ),
  defineOp('aten::diag(Tensor self, int diagonal=0) -> Tensor', {
    reference: (args) => diag(args.self, args.diagonal),
  }),
  defineOp('aten::diagflat(Tensor self, int offset=0) -> Tensor', {
    reference: ({ self, offset }) => diagonalEmbed(reshape(self, [-1]), offset, 0, 1),
  }),
  defineOp('aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor', {
    reference: ({ self, offset, dim1, dim2 }) => diagonalEmbed(self, offset, dim1, dim2),
  }),
]
