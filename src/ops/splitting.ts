import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { checkLength } from './sequence.ts'
import { slice } from './slicing.ts'
import { numberData } from './tensor-access.ts'

/** Views of consecutive pieces of the given lengths. */
function splitWithSizes(self: Tensor, lengths: readonly number[], dim: number): Tensor[] {
  const at = dimensionToSplit(self, dim)
  const sum = lengths.reduce((total, length) => total + length, 0)
  const negative = lengths.find((length) => length < 0)
  if (sum !== self.sizes[at] || negative !== undefined)
    throw new OperatorArgumentError(
      `split_with_sizes expects split_sizes (non-negative) to sum exactly to ${self.sizes[at]!} (input tensor's size at dimension ${at}), but got split_sizes=[${lengths.join(', ')}]`,
    )
  let start = 0
  return lengths.map((length) => slice(self, at, start, (start += length), 1))
}

function dimensionToSplit(self: Tensor, dim: number): number {
  if (self.dim === 0) throw new OperatorArgumentError('split expects at least a 1-dimensional tensor')
  return wrapDimension(dim, self.dim)
}

/** Pieces of `length`; the last may be shorter. */
function split(self: Tensor, length: number, dim: number): Tensor[] {
  const at = dimensionToSplit(self, dim)
  const size = self.sizes[at]!
  if (length < 0 || (length === 0 && size > 0))
    throw new OperatorArgumentError(
      `split expects split_size be positive, but got split_size=${length} for a dimension of size ${size}`,
    )
  const pieces = length === 0 ? 1 : Math.max(1, Math.ceil(size / length))
  return Array.from({ length: checkLength(pieces) }, (_, i) =>
    slice(self, at, i * length, (i + 1) * length, 1),
  )
}

/** At most `chunks` pieces, all but the last of one length. */
export function chunk(self: Tensor, chunks: number, dim: number): Tensor[] {
  const at = dimensionToSplit(self, dim)
  if (chunks <= 0)
    throw new OperatorArgumentError(`chunk expects \`chunks\` to be greater than 0, got: ${chunks}`)
  const size = self.sizes[at]!
  if (size === 0) return splitWithSizes(self, new Array<number>(checkLength(chunks)).fill(0), at)
  return split(self, Math.ceil(size / chunks), at)
}

/** Exactly `sections` pieces, the first ones longer by one where it does not go evenly. */
function tensorSplit(self: Tensor, sections: number, dim: number): Tensor[] {
  const at = dimensionToSplit(self, dim)
  if (sections <= 0)
    throw new OperatorArgumentError(`number of sections must be larger than 0, got ${sections}`)
  const size = self.sizes[at]!
  const [length, longer] = [Math.floor(size / sections), size % sections]
  return splitWithSizes(
    self,
    Array.from({ length: checkLength(sections) }, (_, i) => (i < longer ? length + 1 : length)),
    at,
  )
}

/** Pieces between the given indices, as Python slices. */
function splitAt(self: Tensor, indices: readonly number[], dim: number): Tensor[] {
  const at = dimensionToSplit(self, dim)
  const bounds = [0, ...indices, self.sizes[at]!]
  return bounds.slice(1).map((end, i) => slice(self, at, bounds[i]!, end, 1))
}

function splitByTensor(self: Tensor, indicesOrSections: Tensor, dim: number): Tensor[] {
  const numbers = [...numberData(indicesOrSections)]
  return indicesOrSections.dim === 0 ? tensorSplit(self, numbers[0]!, dim) : splitAt(self, numbers, dim)
}

/** `hsplit`, `vsplit` and `dsplit` are `tensor_split` along a fixed dimension. */
function fixedSplits(name: string, leastRank: number, dimOf: (self: Tensor) => number): Operator[] {
  const check = (self: Tensor): number => {
    if (self.dim < leastRank)
      throw new OperatorArgumentError(
        `${name} requires a tensor with at least ${leastRank} dimensions, got ${self.dim}`,
      )
    return dimOf(self)
  }
  return [
    defineOp(`aten::${name}.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]`, {
      reference: ({ self, sections }) => evenSplit(name, self, sections, check(self)),
    }),
    defineOp(`aten::${name}.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]`, {
      reference: ({ self, indices }) => splitAt(self, indices, check(self)),
    }),
  ]
}

function evenSplit(name: string, self: Tensor, sections: number, dim: number): Tensor[] {
  const size = self.sizes[dim]!
  if (sections <= 0 || size % sections !== 0)
    throw new OperatorArgumentError(
      `${name} attempted to split along dimension ${dim}, but the size of the dimension ${size} is not divisible by the split_size ${sections}`,
    )
  return tensorSplit(self, sections, dim)
}

export const splittingOperators: readonly Operator[] = [
  defineOp('aten::split.Tensor(Tensor(a -> *) self, int split_size, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, split_size, dim }) => split(self, split_size, dim),
  }),
  defineOp('aten::split.sizes(Tensor(a -> *) self, int[] split_size, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, split_size, dim }) => splitWithSizes(self, split_size, dim),
  }),
  defineOp('aten::split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, split_sizes, dim }) => splitWithSizes(self, split_sizes, dim),
  }),
  defineOp('aten::split_with_sizes(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, split_sizes, dim }) => splitWithSizes(self, split_sizes, dim),
  }),
  defineOp('aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, chunks, dim }) => chunk(self, chunks, dim),
  }),
  defineOp('aten::unsafe_split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]', {
    reference: ({ self, split_size, dim }) => split(self, split_size, dim),
  }),
  defineOp('aten::unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]', {
    reference: ({ self, split_sizes, dim }) => splitWithSizes(self, split_sizes, dim),
  }),
  defineOp('aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]', {
    reference: ({ self, chunks, dim }) => chunk(self, chunks, dim),
  }),
  defineOp('aten::tensor_split.sections(Tensor(a -> *) self, int sections, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, sections, dim }) => tensorSplit(self, sections, dim),
  }),
  defineOp('aten::tensor_split.indices(Tensor(a -> *) self, int[] indices, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, indices, dim }) => splitAt(self, indices, dim),
  }),
  defineOp(
    'aten::tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]',
    {
      reference: ({ self, tensor_indices_or_sections, dim }) =>
        splitByTensor(self, tensor_indices_or_sections, dim),
    },
  ),
  ...fixedSplits('hsplit', 1, (self) => (self.dim === 1 ? 0 : 1)),
  ...fixedSplits('vsplit', 2, () => 0),
  ...fixedSplits('dsplit', 3, () => 2),
]
