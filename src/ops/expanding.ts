import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { wrapDimension, wrapDimensions } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { reshape } from './reshaping.ts'

/** The same memory with sizes of 1 stretched and dimensions put in front; -1 keeps a size. */
export function expand(self: Tensor, sizes: readonly number[]): Tensor {
  const lead = sizes.length - self.dim
  if (lead < 0)
    throw new OperatorArgumentError(
      `expand: the number of sizes provided (${sizes.length}) must be greater or equal to the number of dimensions in the tensor (${self.dim})`,
    )
  return broadcastTo(
    self,
    sizes.map((size, dim) => expandedSize(self, size, dim, lead)),
  )
}

function expandedSize(self: Tensor, size: number, dim: number, lead: number): number {
  const own = dim < lead ? undefined : self.sizes[dim - lead]!
  if (size === -1 && own !== undefined) return own
  if (size < 0)
    throw new OperatorArgumentError(`expand: the expanded size ${size} isn't allowed at dimension ${dim}`)
  if (own !== undefined && own !== 1 && own !== size)
    throw new OperatorArgumentError(
      `the expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton dimension ${dim}`,
    )
  return size
}

/** The same memory with a dimension of size 1 put in at `dim`. */
export function unsqueeze(self: Tensor, dim: number): Tensor {
  const at = wrapDimension(dim, self.dim + 1)
  const stride = at === self.dim ? 1 : self.sizes[at]! * self.strides[at]!
  return self.asStrided(self.sizes.toSpliced(at, 0, 1), self.strides.toSpliced(at, 0, stride))
}

/** The same memory without the dimensions of size 1 among `dims`. */
export function squeeze(self: Tensor, dims: readonly number[]): Tensor {
  const kept = self.sizes.map((_, dim) => dim).filter((dim) => self.sizes[dim] !== 1 || !dims.includes(dim))
  return self.asStrided(
    kept.map((dim) => self.sizes[dim]!),
    kept.map((dim) => self.strides[dim]!),
  )
}

function atLeast1d(self: Tensor): Tensor {
  return self.dim === 0 ? reshape(self, [1]) : self
}

function atLeast2d(self: Tensor): Tensor {
  return self.dim === 0 ? reshape(self, [1, 1]) : self.dim === 1 ? unsqueeze(self, 0) : self
}

/** Rows, columns and depth: a vector is a row, a matrix lies flat. */
export function atLeast3d(self: Tensor): Tensor {
  return self.dim > 2 ? self : unsqueeze(atLeast2d(self), 2)
}

function broadcastTensors(tensors: readonly Tensor[]): Tensor[] {
  const sizes = broadcastSizes(...tensors.map((tensor) => tensor.sizes))
  return tensors.map((tensor) => broadcastTo(tensor, sizes))
}

export const expandingOperators: readonly Operator[] = [
  defineOp('aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)', {
    reference: ({ self, size }) => expand(self, size),
  }),
  defineOp('aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)', {
    reference: ({ self, other }) => expand(self, other.sizes),
  }),
  defineOp('aten::broadcast_to(Tensor(a) self, int[] size) -> Tensor(a)', {
    reference: ({ self, size }) => expand(self, size),
  }),
  defineOp('aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]', {
    reference: ({ tensors }) => broadcastTensors(tensors),
  }),
  defineOp('aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)', {
    reference: ({ self, dim }) => unsqueeze(self, dim),
  }),
  defineOp('aten::squeeze(Tensor(a) self) -> Tensor(a)', {
    reference: ({ self }) =>
      squeeze(
        self,
        self.sizes.map((_, dim) => dim),
      ),
  }),
  defineOp('aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)', {
    reference: ({ self, dim }) => squeeze(self, [wrapDimension(dim, self.dim)]),
  }),
  defineOp('aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)', {
    reference: ({ self, dim }) => squeeze(self, dim.length === 0 ? [] : wrapDimensions(dim, self.dim)),
  }),
  defineOp('aten::atleast_1d(Tensor self) -> Tensor', { reference: ({ self }) => atLeast1d(self) }),
  defineOp('aten::atleast_2d(Tensor self) -> Tensor', { reference: ({ self }) => atLeast2d(self) }),
  defineOp('aten::atleast_3d(Tensor self) -> Tensor', { reference: ({ self }) => atLeast3d(self) }),
  defineOp('aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]', {
    reference: ({ tensors }) => tensors.map(atLeast1d),
  }),
  defineOp('aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]', {
    reference: ({ tensors }) => tensors.map(atLeast2d),
  }),
  defineOp('aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]', {
    reference: ({ tensors }) => tensors.map(atLeast3d),
  }),
]
