import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { contiguousStrides, Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { isHalf, type NumberArray } from './convert.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError, UnsupportedOperatorError } from './errors.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'
import { scalarTensor } from './scalar-operand.ts'
import { checkedIndices, offsetTable } from './strided-offsets.ts'
import { allocate, allocateFor, anyMeta, cloneAs, contiguousData, convert } from './tensor-access.ts'

/** For each element of `index`, where in `self` it points: its own place, but for `dim`. */
function pointedPlaces(self: Tensor, dim: number, index: Tensor): Float64Array {
  const strides = index.sizes.map((_, d) => (d === dim ? 0 : (self.strides[d] ?? 0)))
  const places = offsetTable(index.sizes, strides)
  const stride = self.strides[dim] ?? 0
  const values = checkedIndices(index, self.sizes[dim] ?? 1, dim, false)
  for (let i = 0; i < places.length; i++) places[i]! += self.storageOffset + values[i]! * stride
  return places
}

/** @throws OperatorArgumentError unless `index` fits `self` in all dimensions but one */
function checkPointers(self: Tensor, dim: number, index: Tensor): void {
  const rank = Math.max(self.dim, 1)
  if (Math.max(index.dim, 1) !== rank)
    throw new OperatorArgumentError(
      `index tensor must have the same number of dimensions as input tensor: ${index.dim} and ${self.dim}`,
    )
  if (index.dtype !== 'int64')
    throw new OperatorArgumentError(`expected dtype int64 for index, not ${index.dtype}`)
  const wide = index.sizes.findIndex((size, d) => d !== dim && size > (self.sizes[d] ?? 1))
  if (wide !== -1)
    throw new OperatorArgumentError(
      `size does not match at dimension ${wide}: expected index [${index.sizes.join(', ')}] to be smaller than self [${self.sizes.join(', ')}] apart from dimension ${dim}`,
    )
}

/** The elements that `index` points to along a dimension, in the shape of `index`. */
export function gather(self: Tensor, dimension: number, index: Tensor): Tensor {
  const dim = wrapDimension(dimension, self.dim)
  const result = allocateFor([self, index], self.dtype, index.sizes)
  if (index.numel === 0) return result
  checkPointers(self, dim, index)
  if (result.isMeta) return result
  const places = pointedPlaces(self, dim, index)
  const [out, data] = [result.data as NumberArray, self.data as NumberArray]
  for (let i = 0; i < places.length; i++) out[i] = data[places[i]!]!
  return result
}

type Reduction = (before: number, value: number) => number

// Written without types of numbers in mind: they serve bigints as well.
const reductions: Readonly<Record<string, Reduction>> = {
  add: (a, b) => a + b,
  sum: (a, b) => a + b,
  multiply: (a, b) => a * b,
  prod: (a, b) => a * b,
  amax: (a, b) => (b > a || b !== b ? b : a),
  amin: (a, b) => (b < a || b !== b ? b : a),
}

function reduction(name: string): Reduction {
  const reduce = reductions[name]
  if (reduce === undefined)
    throw new UnsupportedOperatorError(`there is no kernel for scattering with reduce='${name}'`)
  return reduce
}

/** A copy of `self` in which the places that `index` points to hold `source`, or are reduced with it. */
export function scatter(
  self: Tensor,
  dimension: number,
  index: Tensor,
  source: Tensor,
  reduce?: Reduction,
): Tensor {
  if (reduce && isHalf(self.dtype)) {
    const wide = scatter(convert(self, 'float32'), dimension, index, convert(source, 'float32'), reduce)
    return convert(wide, self.dtype)
  }
  const strides = contiguousStrides(self.sizes)
  if (index.numel === 0) return cloneAs(self, self.dtype, strides)
  const dim = wrapDimension(dimension, self.dim)
  checkSource(index, source, self)
  checkPointers(self, dim, index)
  if (anyMeta([self, index, source])) return Tensor.meta(self.dtype, self.sizes)
  const result = cloneAs(self, self.dtype, strides)
  const values = contiguousData(cut(source, index)) as NumberArray
  const places = pointedPlaces(result, dim, index)
  const data = result.data as NumberArray
  const isBool = self.dtype === 'bool'
  if (reduce && isBool) places.forEach((place, i) => (data[place] = reduce(data[place]!, values[i]!) ? 1 : 0))
  else if (reduce) places.forEach((place, i) => (data[place] = reduce(data[place]!, values[i]!)))
  else places.forEach((place, i) => (data[place] = values[i]!))
  return result
}

function checkSource(index: Tensor, source: Tensor, self: Tensor): void {
  if (source.dtype !== self.dtype)
    throw new OperatorArgumentError(
      `scatter: expected self.dtype (${self.dtype}) to be equal to src.dtype (${source.dtype})`,
    )
  const short = index.sizes.findIndex((size, d) => size > (source.sizes[d] ?? 1))
  if (source.dim !== index.dim || short !== -1)
    throw new OperatorArgumentError(
      `expected index [${index.sizes.join(', ')}] to be smaller than src [${source.sizes.join(', ')}] in every dimension`,
    )
}

function cut(source: Tensor, index: Tensor): Tensor {
  return source.asStrided(index.sizes, source.strides)
}

function scatterValue(self: Tensor, dim: number, index: Tensor, value: Scalar, reduce?: Reduction): Tensor {
  const source = broadcastTo(scalarTensor(value, self.dtype), index.sizes)
  return scatter(self, dim, index, source, reduce)
}

/** `scatter_reduce`; without self the places that are pointed to start from what changes nothing. */
function scatterReduce(
  self: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  name: string,
  includeSelf: boolean,
): Tensor {
  const reduce = reduction(name)
  if (includeSelf) return scatter(self, dim, index, source, reduce)
  const neutral = name === 'sum' ? 0 : 1
  const start =
    name === 'sum' || name === 'prod'
      ? scatterValue(self, dim, index, neutral)
      : scatter(self, dim, index, source)
  return scatter(start, dim, index, source, reduce)
}

/** Whole slices of `self`, one for each number of a vector. */
export function indexSelect(self: Tensor, dimension: number, index: Tensor): Tensor {
  if (index.dim > 1)
    throw new OperatorArgumentError(
      `index_select(): index is supposed to be a vector, but has ${index.dim} dimensions`,
    )
  const dim = wrapDimension(dimension, self.dim)
  const sizes = self.dim === 0 ? [] : self.sizes.with(dim, index.numel)
  const result = allocateFor([self, index], self.dtype, sizes)
  if (result.isMeta) return result
  const values = checkedIndices(index, self.sizes[dim] ?? 1, dim, false)
  const [out, data] = [result.data as NumberArray, self.data as NumberArray]
  let at = 0
  const before = offsetTable(self.sizes.slice(0, dim), self.strides.slice(0, dim))
  const after = offsetTable(self.sizes.slice(dim + 1), self.strides.slice(dim + 1))
  for (const outer of before)
    for (const value of values) {
      const base = self.storageOffset + outer + value * (self.strides[dim] ?? 0)
      for (const inner of after) out[at++] = data[base + inner]!
    }
  return result
}

/** `self` with whole slices replaced by, or added to, those of `source`. */
function indexWrite(self: Tensor, dimension: number, index: Tensor, source: Tensor, scale?: Scalar): Tensor {
  const dim = wrapDimension(dimension, self.dim)
  if (index.dim > 1) throw new OperatorArgumentError(`index should have dimension 1 or 0 (got ${index.dim})`)
  if (source.dtype !== self.dtype)
    throw new OperatorArgumentError(
      `self (${self.dtype}) and source (${source.dtype}) expected to have the same dtype`,
    )
  const expected = self.dim === 0 ? source.sizes : self.sizes.with(dim, index.numel)
  if (source.sizes.join() !== expected.join())
    throw new OperatorArgumentError(
      `source of sizes [${source.sizes.join(', ')}] does not fit: expected [${expected.join(', ')}]`,
    )
  const shape = source.sizes.map((_, d) => (d === dim ? -1 : 1))
  const places = broadcastTo(reshape(index, shape.length === 0 ? [] : shape), source.sizes)
  return scatter(self, dim, places, source, scale === undefined ? undefined : scaledAdd(self, scale))
}

function scaledAdd(self: Tensor, scale: Scalar): Reduction {
  if (self.dtype !== 'int64') {
    const factor = scalarToNumber(scale)
    return (a, b) => a + factor * b
  }
  const factor = BigInt(scalarToNumber(scale))
  return ((a: bigint, b: bigint) => a + factor * b) as unknown as Reduction
}

function indexFill(self: Tensor, dimension: number, index: Tensor, value: Tensor): Tensor {
  if (value.dim > 0)
    throw new OperatorArgumentError(
      `index_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value.dim} dimension(s)`,
    )
  const dim = wrapDimension(dimension, self.dim)
  if (anyMeta([self, index, value])) return Tensor.meta(self.dtype, self.sizes)
  const values = checkedIndices(index, self.sizes[dim] ?? 1, dim, true)
  const wrapped = allocate('int64', [values.length])
  values.forEach((position, i) => ((wrapped.data as BigInt64Array)[i] = BigInt(position)))
  const sizes = self.dim === 0 ? [] : self.sizes.with(dim, values.length)
  const filler = broadcastTo(cloneAs(value, self.dtype), sizes)
  return indexWrite(self, dim, wrapped, filler)
}

/** Elements by their row-major position. */
function take(self: Tensor, index: Tensor): Tensor {
  const result = allocateFor([self, index], self.dtype, index.sizes)
  if (result.isMeta) return result
  const flat = contiguousData(self) as NumberArray
  const out = result.data as NumberArray
  checkedIndices(index, flat.length, 0, true).forEach((position, i) => (out[i] = flat[position]!))
  return result
}

function takeAlong(self: Tensor, indices: Tensor, dim: number | null): Tensor {
  if (dim === null) return take(self, reshape(indices, [-1]))
  const at = wrapDimension(dim, self.dim)
  const sizes = broadcastSizes(self.sizes.with(at, 1), indices.sizes.with(at, 1))
  return gather(
    broadcastTo(self, sizes.with(at, self.sizes[at]!)),
    at,
    broadcastTo(indices, sizes.with(at, indices.sizes[at]!)),
  )
}

export const gatheringOperators: readonly Operator[] = [
  defineOp('aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor', {
    reference: ({ self, dim, index }) => gather(self, dim, index),
  }),
  defineOp('aten::index_select(Tensor self, int dim, Tensor index) -> Tensor', {
    reference: ({ self, dim, index }) => indexSelect(self, dim, index),
  }),
  defineOp('aten::take(Tensor self, Tensor index) -> Tensor', {
    reference: ({ self, index }) => take(self, index),
  }),
  defineOp('aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor', {
    reference: ({ self, indices, dim }) => takeAlong(self, indices, dim),
  }),
  ...withInPlace(
    defineOp('aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor', {
      reference: ({ self, dim, index, src }) => scatter(self, dim, index, src),
    }),
    defineOp('aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor', {
      reference: ({ self, dim, index, value }) => scatterValue(self, dim, index, value),
    }),
    defineOp(
      'aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor',
      {
        reference: ({ self, dim, index, src, reduce }) => scatter(self, dim, index, src, reduction(reduce)),
      },
    ),
    defineOp(
      'aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor',
      {
        reference: ({ self, dim, index, value, reduce }) =>
          scatterValue(self, dim, index, value, reduction(reduce)),
      },
    ),
    defineOp('aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor', {
      reference: ({ self, dim, index, src }) => scatter(self, dim, index, src, reduction('add')),
    }),
    defineOp(
      'aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor',
      {
        reference: ({ self, dim, index, src, reduce, include_self }) =>
          scatterReduce(self, dim, index, src, reduce, include_self),
      },
    ),
    defineOp(
      'aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor',
      {
        reference: ({ self, dim, index, source, alpha }) => indexWrite(self, dim, index, source, alpha),
      },
    ),
    defineOp('aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor', {
      reference: ({ self, dim, index, source }) => indexWrite(self, dim, index, source),
    }),
    defineOp('aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor', {
      reference: ({ self, dim, index, value }) =>
        indexFill(self, dim, index, scalarTensor(value, self.dtype)),
    }),
    defineOp('aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor', {
      reference: ({ self, dim, index, value }) => indexFill(self, dim, index, value),
    }),
  ),
]
