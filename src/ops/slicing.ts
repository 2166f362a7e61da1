import { itemSize } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { checkLength } from './sequence.ts'
import { cloneAs, soleNumber } from './tensor-access.ts'

/** The same memory at one index of a dimension, which goes. */
export function select(self: Tensor, dim: number, index: number): Tensor {
  if (self.dim === 0) throw new OperatorArgumentError('select() cannot be applied to a 0-dim tensor')
  const at = wrapDimension(dim, self.dim)
  const size = self.sizes[at]!
  if (index < -size || index >= size)
    throw new OperatorArgumentError(
      `select(): index ${index} out of range for tensor of size [${self.sizes.join(', ')}] at dimension ${at}`,
    )
  const offset = self.storageOffset + (index < 0 ? index + size : index) * self.strides[at]!
  return self.asStrided(self.sizes.toSpliced(at, 1), self.strides.toSpliced(at, 1), offset)
}

/** Every `step`-th index of a dimension from `start` to before `end`, as Python slices. */
export function slice(
  self: Tensor,
  dim: number,
  start: number | null,
  end: number | null,
  step: number,
): Tensor {
  if (self.dim === 0) throw new OperatorArgumentError('slice() cannot be applied to a 0-dim tensor')
  if (step <= 0) throw new OperatorArgumentError(`slice step must be positive, but is ${step}`)
  const at = wrapDimension(dim, self.dim)
  const size = self.sizes[at]!
  const from = clampIndex(start ?? 0, size)
  const to = Math.max(from, clampIndex(end ?? size, size))
  const sizes = self.sizes.with(at, Math.ceil((to - from) / step))
  const strides = self.strides.with(at, self.strides[at]! * step)
  return self.asStrided(sizes, strides, self.storageOffset + from * self.strides[at]!)
}

function clampIndex(index: number, size: number): number {
  return Math.min(Math.max(index < 0 ? index + size : index, 0), size)
}

/** `length` indices of a dimension from `start`. */
export function narrow(self: Tensor, dim: number, start: number, length: number): Tensor {
  if (self.dim === 0) throw new OperatorArgumentError('narrow() cannot be applied to a 0-dim tensor')
  const at = wrapDimension(dim, self.dim)
  const size = self.sizes[at]!
  if (length < 0) throw new OperatorArgumentError(`narrow(): length must be non-negative, but is ${length}`)
  if (start < -size || start > size)
    throw new OperatorArgumentError(
      `narrow(): start ${start} out of range (expected to be in range of [${-size}, ${size}])`,
    )
  const from = start < 0 ? start + size : start
  if (from + length > size)
    throw new OperatorArgumentError(
      `narrow(): start (${from}) + length (${length}) exceeds dimension size (${size})`,
    )
  return slice(self, at, from, from + length, 1)
}

/** @throws OperatorArgumentError when it would reach beyond the storage */
function asStrided(
  self: Tensor,
  size: readonly number[],
  stride: readonly number[],
  storageOffset: number | null,
): Tensor {
  if (size.length !== stride.length)
    throw new OperatorArgumentError(
      `mismatch in length of strides (${stride.length}) and shape (${size.length})`,
    )
  const offset = storageOffset ?? self.storageOffset
  if (offset < 0 || [...size, ...stride].some((value) => value < 0))
    throw new OperatorArgumentError(
      `as_strided: sizes [${size.join(', ')}], strides [${stride.join(', ')}] and offset ${offset} must not be negative`,
    )
  const last = size.reduce((sum, length, dim) => sum + (length - 1) * stride[dim]!, offset)
  const bytes = size.includes(0) ? 0 : (last + 1) * itemSize(self.dtype)
  if (bytes > self.storage.byteLength)
    throw new OperatorArgumentError(
      `as_strided: sizes [${size.join(', ')}], strides [${stride.join(', ')}] and offset ${offset} require ${bytes} bytes, but the storage has ${self.storage.byteLength}`,
    )
  return self.asStrided(size, stride, offset)
}

/** Sliding windows of a dimension; the window becomes the last dimension. */
function unfold(self: Tensor, dimension: number, size: number, step: number): Tensor {
  const at = wrapDimension(dimension, self.dim)
  const length = self.sizes[at] ?? 1
  if (size > length || size < 0)
    throw new OperatorArgumentError(
      `maximum size for tensor at dimension ${at} is ${length} but size is ${size}`,
    )
  if (step <= 0) throw new OperatorArgumentError(`step is ${step} but must be > 0`)
  if (self.dim === 0) return self.asStrided([size], [1])
  const stride = self.strides[at]!
  const sizes = [...self.sizes.with(at, Math.floor((length - size) / step) + 1), size]
  return self.asStrided(sizes, [...self.strides.with(at, stride * step), stride])
}

/** The diagonal of two dimensions, as the last dimension. */
export function diagonal(self: Tensor, offset: number, dim1: number, dim2: number): Tensor {
  const [a, b] = [wrapDimension(dim1, self.dim), wrapDimension(dim2, self.dim)]
  if (a === b) throw new OperatorArgumentError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`)
  const [rows, columns] = [self.sizes[a]!, self.sizes[b]!]
  const length = Math.max(
    offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns),
    0,
  )
  const skipped = length === 0 ? 0 : offset >= 0 ? offset * self.strides[b]! : -offset * self.strides[a]!
  const others = self.sizes.map((_, dim) => dim).filter((dim) => dim !== a && dim !== b)
  return self.asStrided(
    [...others.map((dim) => self.sizes[dim]!), length],
    [...others.map((dim) => self.strides[dim]!), self.strides[a]! + self.strides[b]!],
    self.storageOffset + skipped,
  )
}

/** One view for each index of a dimension. */
export function unbind(self: Tensor, dim: number): Tensor[] {
  const at = wrapDimension(dim, self.dim)
  return Array.from({ length: checkLength(self.sizes[at] ?? 0) }, (_, index) => select(self, at, index))
}

export const slicingOperators: readonly Operator[] = [
  defineOp('aten::select.int(Tensor(a) self, int dim, int index) -> Tensor(a)', {
    reference: ({ self, dim, index }) => select(self, dim, index),
  }),
  defineOp(
    'aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)',
    { reference: ({ self, dim, start, end, step }) => slice(self, dim, start, end, step) },
  ),
  defineOp('aten::narrow(Tensor(a) self, int dim, int start, int length) -> Tensor(a)', {
    reference: ({ self, dim, start, length }) => narrow(self, dim, start, length),
  }),
  defineOp('aten::narrow.Tensor(Tensor(a) self, int dim, Tensor start, int length) -> Tensor(a)', {
    reference: ({ self, dim, start, length }) => narrow(self, dim, soleNumber(start), length),
  }),
  defineOp('aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor', {
    reference: ({ self, dim, start, length }) => cloneAs(narrow(self, dim, start, length)),
  }),
  defineOp(
    'aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)',
    { reference: ({ self, size, stride, storage_offset }) => asStrided(self, size, stride, storage_offset) },
  ),
  defineOp('aten::_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)', {
    reference: ({ self, size, stride }) => asStrided(self, size, stride, null),
  }),
  defineOp('aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)', {
    reference: ({ self, dimension, size, step }) => unfold(self, dimension, size, step),
  }),
  defineOp('aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)', {
    reference: ({ self, offset, dim1, dim2 }) => diagonal(self, offset, dim1, dim2),
  }),
  defineOp('aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]', {
    reference: ({ self, dim }) => unbind(self, dim),
  }),
]
