import type { Tensor } from '../tensor/tensor.ts'
import type { NumberArray } from './convert.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { indexSelect } from './gathering.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { sortedPositions } from './sorting.ts'
import { allocate, contiguousData } from './tensor-access.ts'

interface Groups {
  /** The first member of each group, in the order of groups. */
  readonly representatives: readonly number[]
  /** For each member its group. */
  readonly inverse: readonly number[]
  readonly counts: readonly number[]
}

/** Groups what is next to each other and the same, in the order given. */
function groupRuns(order: readonly number[], same: (a: number, b: number) => boolean): Groups {
  const representatives: number[] = []
  const counts: number[] = []
  const inverse = new Array<number>(order.length).fill(0)
  order.forEach((member, i) => {
    if (i === 0 || !same(order[i - 1]!, member)) {
      representatives.push(member)
      counts.push(0)
    }
    inverse[member] = representatives.length - 1
    counts[counts.length - 1]!++
  })
  return { representatives, inverse, counts }
}

function longs(values: readonly number[], sizes: readonly number[] = [values.length]): Tensor {
  const tensor = allocate('int64', sizes)
  values.forEach((value, i) => ((tensor.data as BigInt64Array)[i] = BigInt(value)))
  return tensor
}

interface Wanted {
  readonly inverse: boolean
  readonly counts: boolean
}

function results(
  values: Tensor,
  groups: Groups,
  inverseSizes: readonly number[],
  wanted: Wanted,
): [Tensor, Tensor, Tensor] {
  return [
    values,
    wanted.inverse ? longs(groups.inverse, inverseSizes) : allocate('int64', [0]),
    wanted.counts ? longs(groups.counts) : allocate('int64', [0]),
  ]
}

/** The different elements, sorted (libtorch's CPU kernel sorts whether asked to or not). */
function unique(self: Tensor, wanted: Wanted): [Tensor, Tensor, Tensor] {
  const flat = reshape(self, [-1])
  const order = Array.from(contiguousData(sortedPositions(flat, 0, false)), Number)
  return uniqueOf(self, flat, order, wanted)
}

function uniqueOf(
  self: Tensor,
  flat: Tensor,
  order: readonly number[],
  wanted: Wanted,
): [Tensor, Tensor, Tensor] {
  const data = contiguousData(flat) as NumberArray
  const groups = groupRuns(order, (a, b) => data[a] === data[b])
  const values = indexSelect(flat, 0, longs(groups.representatives))
  return results(values, groups, self.sizes, wanted)
}

function uniqueConsecutive(self: Tensor, wanted: Wanted, dim: number | null): [Tensor, Tensor, Tensor] {
  if (dim !== null) return uniqueSlices(self, dim, wanted, false)
  const flat = reshape(self, [-1])
  return uniqueOf(
    self,
    flat,
    Array.from({ length: flat.numel }, (_, i) => i),
    wanted,
  )
}

/** The different slices along a dimension, in lexicographic order or as they come. */
function uniqueSlices(
  self: Tensor,
  dimension: number,
  wanted: Wanted,
  sorted: boolean,
): [Tensor, Tensor, Tensor] {
  const dim = wrapDimension(dimension, self.dim)
  const size = self.sizes[dim] ?? 1
  if (self.sizes.includes(0) && size !== 0)
    throw new OperatorArgumentError(
      `there are zero sized dimensions in [${self.sizes.join(', ')}], so unique cannot be applied`,
    )
  const data = contiguousData(transpose(self, dim, 0)) as NumberArray
  const length = size === 0 ? 0 : data.length / size
  const compare = (a: number, b: number): number => {
    for (let i = 0; i < length; i++) {
      const [x, y] = [data[a * length + i]!, data[b * length + i]!]
      if (x !== y) return x < y ? -1 : 1
    }
    return 0
  }
  const order = Array.from({ length: size }, (_, i) => i)
  if (sorted) order.sort(compare)
  const groups = groupRuns(order, (a, b) => compare(a, b) === 0)
  return results(indexSelect(self, dim, longs(groups.representatives)), groups, [size], wanted)
}

export const uniquenessOperators: readonly Operator[] = [
  defineOp(
    'aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)',
    {
      reference: ({ self, return_inverse, return_counts }) =>
        unique(self, { inverse: return_inverse, counts: return_counts }),
    },
  ),
  defineOp('aten::_unique(Tensor self, bool sorted=True, bool return_inverse=False) -> (Tensor, Tensor)', {
    reference: ({ self, return_inverse }) =>
      unique(self, { inverse: return_inverse, counts: false }).slice(0, 2),
  }),
  defineOp(
    'aten::unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)',
    {
      reference: ({ self, return_inverse, return_counts, dim }) =>
        uniqueConsecutive(self, { inverse: return_inverse, counts: return_counts }, dim),
    },
  ),
  defineOp(
    'aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)',
    {
      reference: ({ self, dim, return_inverse, return_counts }) =>
        uniqueSlices(self, dim, { inverse: return_inverse, counts: return_counts }, true),
    },
  ),
]
