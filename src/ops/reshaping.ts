import { dtypeFromCode, itemSize } from '../tensor/dtype.ts'
import { contiguousStrides, numelOf, Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { contiguous } from './tensor-access.ts'

/**
 * The sizes with -1 replaced by what is left over.
 *
 * @throws OperatorArgumentError when the numbers of elements differ
 */
function inferSizes(wanted: readonly number[], numel: number): number[] {
  const sizes = [...wanted]
  const open = sizes.indexOf(-1)
  const negative = sizes.find((size, dim) => size < 0 && dim !== open)
  if (negative !== undefined)
    throw new OperatorArgumentError(
      negative === -1 ? 'only one dimension can be inferred' : `invalid shape dimension ${negative}`,
    )
  if (open !== -1) {
    const known = numelOf(sizes.filter((_, dim) => dim !== open))
    sizes[open] = known === 0 ? -1 : numel / known
    if (known === 0)
      throw new OperatorArgumentError(
        `cannot reshape tensor of ${numel} elements into shape [${wanted.join(', ')}]: the size -1 can be any value`,
      )
  }
  if (numelOf(sizes) !== numel || !sizes.every(Number.isInteger))
    throw new OperatorArgumentError(`shape '[${wanted.join(', ')}]' is invalid for input of size ${numel}`)
  return sizes
}

/**
 * Strides under which the same memory has other sizes, if there are any (aten/src/ATen/TensorUtils.cpp,
 * computeStride): each run of dimensions that lie evenly in memory is cut up anew by itself.
 */
function viewStrides(tensor: Tensor, sizes: readonly number[]): number[] | undefined {
  if (tensor.numel === 0 || tensor.isContiguous) return contiguousStrides(sizes)
  const strides = new Array<number>(sizes.length).fill(1)
  let viewDim = sizes.length - 1
  let baseStride = tensor.strides[tensor.dim - 1] ?? 1
  let [run, covered] = [1, 1]
  for (let dim = tensor.dim - 1; dim >= 0; dim--) {
    run *= tensor.sizes[dim]!
    const continues = dim > 0 && (tensor.sizes[dim - 1] === 1 || tensor.strides[dim - 1] === run * baseStride)
    if (continues) continue
    for (; viewDim >= 0 && (covered < run || sizes[viewDim] === 1); viewDim--) {
      strides[viewDim] = covered * baseStride
      covered *= sizes[viewDim]!
    }
    if (covered !== run) return undefined
    if (dim > 0) {
      baseStride = tensor.strides[dim - 1]!
      run = covered = 1
    }
  }
  return viewDim === -1 ? strides : undefined
}

/**
 * The same memory with other sizes, one of which may be -1.
 *
 * @throws OperatorArgumentError when the elements are not laid out for it
 */
export function view(self: Tensor, wanted: readonly number[]): Tensor {
  const sizes = inferSizes(wanted, self.numel)
  const strides = viewStrides(self, sizes)
  if (strides === undefined)
    throw new OperatorArgumentError(
      `view size [${sizes.join(', ')}] is not compatible with input tensor's size [${self.sizes.join(', ')}] and stride [${self.strides.join(', ')}]: at least one dimension spans across two contiguous subspaces`,
      {},
      'use .reshape(...) instead',
    )
  return self.asStrided(sizes, strides)
}

/** The elements in row-major order with other sizes, one of which may be -1: a view where possible, else a copy. */
export function reshape(self: Tensor, wanted: readonly number[]): Tensor {
  const sizes = inferSizes(wanted, self.numel)
  const strides = viewStrides(self, sizes)
  return strides
    ? self.asStrided(sizes, strides)
    : contiguous(self).asStrided(sizes, contiguousStrides(sizes), 0)
}

/** Merges a range of dimensions; a tensor without dimensions gets one. */
export function flatten(self: Tensor, startDim: number, endDim: number): Tensor {
  const start = wrapDimension(startDim, self.dim)
  const end = wrapDimension(endDim, self.dim)
  if (start > end)
    throw new OperatorArgumentError(`flatten has invalid args: start_dim ${start} comes after end_dim ${end}`)
  if (self.dim === 0) return reshape(self, [1])
  if (start === end) return self
  const merged = numelOf(self.sizes.slice(start, end + 1))
  return reshape(self, [...self.sizes.slice(0, start), merged, ...self.sizes.slice(end + 1)])
}

function unflatten(self: Tensor, dim: number, sizes: readonly number[]): Tensor {
  const at = wrapDimension(dim, self.dim)
  const inner = inferSizes(sizes, self.sizes[at] ?? 1)
  return view(self, [...self.sizes.slice(0, at), ...inner, ...self.sizes.slice(at + 1)])
}

/** The same bytes as elements of another dtype; the last dimension grows or shrinks with the size of an element. */
function viewAsDType(self: Tensor, code: number): Tensor {
  const dtype = dtypeFromCode(code)
  const [from, to] = [itemSize(self.dtype), itemSize(dtype)]
  const last = self.dim - 1
  const sizes = [...self.sizes]
  if (from !== to) {
    const bytes = (self.sizes[last] ?? 1) * from
    if (last < 0 || self.strides[last] !== 1 || bytes % to !== 0 || (self.storageOffset * from) % to !== 0)
      throw new OperatorArgumentError(
        `cannot view ${self.dtype} of sizes [${self.sizes.join(', ')}] as ${dtype}: elements of ${from} and ${to} bytes`,
      )
    sizes[last] = bytes / to
  }
  const strides = self.strides.map((stride, dim) => (dim === last ? stride : (stride * from) / to))
  return new Tensor(self.storage, dtype, sizes, { strides, storageOffset: (self.storageOffset * from) / to })
}

export const reshapingOperators: readonly Operator[] = [
  defineOp('aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)', {
    reference: ({ self, size }) => view(self, size),
  }),
  defineOp('aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor', {
    reference: ({ self, size }) => view(self, size),
  }),
  defineOp('aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)', {
    reference: ({ self, dtype }) => viewAsDType(self, dtype),
  }),
  defineOp('aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    reference: ({ self, other }) => view(self, other.sizes),
  }),
  defineOp('aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)', {
    reference: ({ self, shape }) => reshape(self, shape),
  }),
  defineOp('aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    reference: ({ self, other }) => reshape(self, other.sizes),
  }),
  defineOp('aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)', {
    reference: ({ self, start_dim, end_dim }) => flatten(self, start_dim, end_dim),
  }),
  defineOp('aten::unflatten.int(Tensor(a) self, int dim, int[] sizes) -> Tensor(a)', {
    reference: ({ self, dim, sizes }) => unflatten(self, dim, sizes),
  }),
  defineOp('aten::ravel(Tensor(a) self) -> Tensor(a)', { reference: ({ self }) => reshape(self, [-1]) }),
]
