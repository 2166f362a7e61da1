import { contiguousStrides, Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo, sameSizes } from './broadcast.ts'
import { isHalf, type NumberArray } from './convert.ts'
import { OperatorArgumentError } from './errors.ts'
import { withInPlace } from './in-place.ts'
import { nonzero } from './nonzero.ts'
import { defineOp, type Operator } from './operator.ts'
import { expand } from './expanding.ts'
import { unbind } from './slicing.ts'
import { checkedIndices, offsetTable } from './strided-offsets.ts'
import { allocateFor, anyMeta, cloneAs, contiguousData, convert } from './tensor-access.ts'

/** Which elements `self[indices]` means: every combination of three offsets, and the shape of the result. */
interface Selection {
  readonly sizes: readonly number[]
  readonly before: Float64Array
  readonly picked: Float64Array
  readonly after: Float64Array
}

/** Masks become the coordinates of their true elements; the others stay. */
function withoutMasks(self: Tensor, indices: readonly (Tensor | null)[]): (Tensor | null)[] {
  const expanded = indices.flatMap((index): (Tensor | null)[] => {
    if (index === null) return [null]
    if (index.dtype === 'bool' || index.dtype === 'uint8') return unbind(nonzero(index), 1)
    if (index.dtype === 'int64') return [index]
    throw new OperatorArgumentError(
      `tensors used as indices must be long, byte or bool tensors, not ${index.dtype}`,
    )
  })
  checkMasks(self, indices)
  const count = Math.max(indices.length, expanded.length)
  if (count > self.dim)
    throw new OperatorArgumentError(`too many indices for tensor of dimension ${self.dim} (got ${count})`)
  return expanded
}

function checkMasks(self: Tensor, indices: readonly (Tensor | null)[]): void {
  let dim = 0
  for (const index of indices) {
    const isMask = index !== null && (index.dtype === 'bool' || index.dtype === 'uint8')
    if (isMask && !sameSizes(index.sizes, self.sizes.slice(dim, dim + index.dim)))
      throw new OperatorArgumentError(
        `the shape of the mask [${index.sizes.join(', ')}] at index ${dim} does not match the shape of the indexed tensor [${self.sizes.join(', ')}]`,
      )
    dim += isMask ? index.dim : 1
  }
}

/**
 * Resolves indices as numpy does: the picked dimensions stay in place if they are neighbours, else come first. Without
 * elements only the sizes are told.
 */
function selectElements(self: Tensor, indices: readonly (Tensor | null)[]): Selection {
  if (indices.length === 0) throw new OperatorArgumentError('at least one index must be provided')
  const perDim = withoutMasks(self, indices)
  const dims = perDim.flatMap((index, dim) => (index === null ? [] : [dim]))
  const shape = broadcastSizes(...dims.map((dim) => perDim[dim]!.sizes))
  const picked = offsetTable(
    shape,
    shape.map(() => 0),
  )
  const kept = self.sizes.map((_, dim) => dim).filter((dim) => !dims.includes(dim))
  const isRead = picked.length > 0 && kept.every((dim) => self.sizes[dim] !== 0) && !self.isMeta
  for (const dim of dims) {
    const values = isRead ? checkedIndices(broadcastTo(perDim[dim]!, shape), self.sizes[dim]!, dim, true) : []
    values.forEach((value, i) => (picked[i]! += value * self.strides[dim]!))
  }
  const first = dims[0] ?? 0
  const adjacent = dims.every((dim, i) => dim === first + i)
  const lead = adjacent ? kept.filter((dim) => dim < first) : []
  const tail = kept.filter((dim) => !lead.includes(dim))
  const sizesOf = (list: readonly number[]): number[] => list.map((dim) => self.sizes[dim]!)
  const table = (list: readonly number[]): Float64Array =>
    offsetTable(
      sizesOf(list),
      list.map((dim) => self.strides[dim]!),
    )
  return {
    sizes: [...sizesOf(lead), ...shape, ...sizesOf(tail)],
    before: table(lead),
    picked,
    after: table(tail),
  }
}

/** A copy that may be written to; without elements where what is written has none. */
function written(self: Tensor, indices: readonly (Tensor | null)[], values: Tensor): Tensor {
  const copy = cloneAs(self)
  return anyMeta([...indices, values]) ? Tensor.meta(copy.dtype, copy.sizes, copy.strides) : copy
}

function forEachSelected(
  self: Tensor,
  { before, picked, after }: Selection,
  visit: (at: number, i: number) => void,
): void {
  let i = 0
  for (const outer of before)
    for (const middle of picked) {
      const base = self.storageOffset + outer + middle
      for (let k = 0; k < after.length; k++) visit(base + after[k]!, i++)
    }
}

/** `self[indices]`: None keeps a dimension, integers pick, masks select. */
export function index(self: Tensor, indices: readonly (Tensor | null)[]): Tensor {
  if (!self.isMeta && anyMeta(indices)) return index(Tensor.meta(self.dtype, self.sizes), indices)
  const selection = selectElements(self, indices)
  const result = allocateFor([self], self.dtype, selection.sizes, contiguousStrides(selection.sizes))
  if (result.isMeta) return result
  const [out, data] = [result.data as NumberArray, self.data as NumberArray]
  forEachSelected(self, selection, (at, i) => (out[i] = data[at]!))
  return result
}

/** `self[indices] = values`, or `+=`, written into `self`, which is given back (halves add up beside it). */
export function indexPut(
  self: Tensor,
  indices: readonly (Tensor | null)[],
  values: Tensor,
  accumulate: boolean,
): Tensor {
  if (values.dtype !== self.dtype)
    throw new OperatorArgumentError(
      `index put requires the source and destination dtypes match, got ${self.dtype} for the destination and ${values.dtype} for the source`,
    )
  if (accumulate && isHalf(self.dtype)) {
    const sums = indexPut(convert(self, 'float32'), indices, convert(values, 'float32'), true)
    return convert(sums, self.dtype)
  }
  const selection = selectElements(self, indices)
  if (self.isMeta) {
    expand(values, selection.sizes)
    return self
  }
  const source = contiguousData(expand(values, selection.sizes)) as NumberArray
  const data = self.data as NumberArray
  const numbers = source === data ? source.slice() : source
  const isBool = self.dtype === 'bool'
  if (accumulate && !isBool) forEachSelected(self, selection, (at, i) => (data[at]! += numbers[i]!))
  else if (accumulate) forEachSelected(self, selection, (at, i) => (data[at]! |= numbers[i]!))
  else forEachSelected(self, selection, (at, i) => (data[at] = numbers[i]!))
  return self
}

export const advancedIndexOperators: readonly Operator[] = [
  defineOp('aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor', {
    reference: ({ self, indices }) => index(self, indices),
  }),
  defineOp('aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor', {
    reference: ({ self, indices }) => index(self, indices),
  }),
  ...withInPlace(
    defineOp(
      'aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor',
      {
        reference: ({ self, indices, values, accumulate }) =>
          indexPut(written(self, indices, values), indices, values, accumulate),
      },
    ),
    defineOp(
      'aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor',
      {
        reference: ({ self, indices, values, accumulate }) =>
          indexPut(written(self, indices, values), indices, values, accumulate),
      },
    ),
  ),
]
