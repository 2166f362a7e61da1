import { Double, type Device, type Scalar } from '../ir/ivalue.ts'
import { dtypeFromCode, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, sameSizes } from './broadcast.ts'
import { OperatorArgumentError, UnsupportedOperatorError } from './errors.ts'
import { hasFormat, memoryFormats, stridesOfFormat } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { cloneAs, copyInto, inFormat } from './tensor-access.ts'

interface Conversion {
  readonly dtype?: number | null
  readonly device?: Device | null
  readonly copy?: boolean
  readonly memory_format?: number | null
}

/** Refuses every device but the CPU. */
export function checkDevice(device: Device | null | undefined): void {
  if (device && device.type !== 'cpu')
    throw new UnsupportedOperatorError(`there is no device ${device.toString()}: tensors live on the CPU`)
}

/** The tensor itself where nothing changes and no copy is asked for, else a converted copy. */
function to(self: Tensor, { dtype, device, copy, memory_format }: Conversion): Tensor {
  checkDevice(device)
  const target = dtype === null || dtype === undefined ? self.dtype : dtypeFromCode(dtype)
  const format = memory_format ?? memoryFormats.preserve
  if (!copy && target === self.dtype && hasFormat(self, format)) return self
  return cloneIn(self, target, format)
}

function cloneIn(self: Tensor, dtype: DType, format: number): Tensor {
  return cloneAs(self, dtype, stridesOfFormat(self.sizes, format, self))
}

function copyFrom(self: Tensor, source: Tensor): Tensor {
  if (!sameSizes(broadcastSizes(self.sizes, source.sizes), self.sizes))
    throw new OperatorArgumentError(
      `output with shape [${self.sizes.join(', ')}] doesn't match the broadcast shape [${broadcastSizes(self.sizes, source.sizes).join(', ')}]`,
    )
  copyInto(self, source)
  return self
}

function fill(self: Tensor, value: Tensor): Tensor {
  if (value.dim > 0)
    throw new OperatorArgumentError(
      `fill_ only supports 0-dimension value tensor but got tensor with ${value.dim} dimensions.`,
    )
  return copyFrom(self, value)
}

const fillWith = (self: Tensor, value: Scalar): Tensor => fill(self, scalarTensor(value, self.dtype))

/**
 * Writes to the elements whose indices are all the same; with `wrap` the diagonal of a tall matrix begins anew, a row
 * behind its end.
 *
 * @throws OperatorArgumentError for fewer than two dimensions, or more of different sizes
 */
function fillDiagonal(self: Tensor, value: Scalar, wrap: boolean): Tensor {
  const [rows, columns] = self.sizes
  if (rows === undefined || columns === undefined)
    throw new OperatorArgumentError(`fill_diagonal_: dimensions must be larger than 1, not ${self.dim}`)
  if (self.dim > 2 && self.sizes.some((size) => size !== rows))
    throw new OperatorArgumentError('fill_diagonal_: all dimensions of input must be of equal length')
  const step = self.strides.reduce((sum, stride) => sum + stride, 0)
  const filled = (offset: number, length: number): Tensor =>
    fillWith(self.asStrided([length], [step], self.storageOffset + offset), value)
  filled(0, Math.min(...self.sizes))
  if (wrap && self.dim === 2)
    for (let row = columns + 1; row < rows; row += columns + 1)
      filled(row * self.strides[0]!, Math.min(columns, rows - row))
  return self
}

const same = ({ self }: { readonly self: Tensor }): Tensor => self

const toOperators: readonly Operator[] = [
  defineOp(
    'aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { reference: ({ self, ...conversion }) => to(self, conversion) },
  ),
  defineOp(
    'aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { reference: ({ self, ...conversion }) => to(self, conversion) },
  ),
  defineOp(
    'aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    {
      reference: ({ self, other, copy, memory_format }) =>
        other.dtype === self.dtype
          ? to(self, { copy, memory_format })
          : cloneLike(self, other, memory_format),
    },
  ),
  defineOp(
    'aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)',
    { reference: ({ self, ...conversion }) => to(self, conversion) },
  ),
  defineOp(
    'aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor(b|a)',
    { reference: ({ self, ...conversion }) => to(self, conversion) },
  ),
  defineOp(
    'aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor(b|a)',
    { reference: ({ self, ...conversion }) => to(self, conversion) },
  ),
  defineOp('aten::to.prim_other(Tensor(a) self, bool non_blocking=False, bool copy=False) -> Tensor(b|a)', {
    reference: ({ self, copy }) => to(self, { copy }),
  }),
  defineOp(
    'aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor',
    { reference: ({ self, ...conversion }) => to(self, { ...conversion, copy: true }) },
  ),
  defineOp('aten::cpu(Tensor(a) self) -> Tensor(b|a)', { reference: same }),
  defineOp('aten::type_as(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => (other.dtype === self.dtype ? self : cloneLike(self, other, null)),
  }),
]

function cloneLike(self: Tensor, other: Tensor, format: number | null): Tensor {
  return cloneIn(self, other.dtype, format ?? memoryFormats.preserve)
}

/** Operators that give the tensor itself, for all that a session can see. */
const identities: readonly Operator[] = [
  defineOp('aten::alias(Tensor(a) self) -> Tensor(a)', { reference: same }),
  defineOp('aten::detach(Tensor(a) self) -> Tensor(a)', { reference: ({ self }) => self.detach() }),
  defineOp('aten::detach_(Tensor(a!) self) -> Tensor(a!)', { reference: same }),
  defineOp('aten::positive(Tensor(a) self) -> Tensor(a)', { reference: same }),
  defineOp('aten::lift_fresh(Tensor(a) self) -> Tensor(a)', { reference: same }),
  ...['real', 'conj', 'resolve_conj', 'resolve_neg'].map((name) =>
    defineOp(`aten::${name}(Tensor(a) self) -> Tensor(a)`, { reference: ({ self }) => ofReal(name, self) }),
  ),
]

function ofReal(name: string, self: Tensor): Tensor {
  if (self.dtype.startsWith('complex'))
    throw new UnsupportedOperatorError(`${name} has no kernel for ${self.dtype} tensors`)
  return self
}

export const copyingOperators: readonly Operator[] = [
  ...toOperators,
  ...identities,
  defineOp('aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)', {
    reference: ({ self, memory_format }) => inFormat(self, memory_format),
  }),
  defineOp('aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor', {
    reference: ({ self, memory_format }) =>
      cloneIn(self, self.dtype, memory_format ?? memoryFormats.preserve),
  }),
  defineOp('aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)', {
    reference: ({ self, src }) => copyFrom(self, src),
  }),
  defineOp('aten::copy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)', {
    reference: ({ self, other }) => copyFrom(self, other),
  }),
  defineOp('aten::copy_.int(Tensor(a!) self, int other) -> Tensor(a!)', {
    reference: ({ self, other }) => fillWith(self, other),
  }),
  defineOp('aten::copy_.float(Tensor(a!) self, float other) -> Tensor(a!)', {
    reference: ({ self, other }) => fill(self, scalarTensor(new Double(other), self.dtype)),
  }),
  defineOp('aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)', {
    reference: ({ self, value }) => fillWith(self, value),
  }),
  defineOp('aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)', {
    reference: ({ self, value }) => fill(self, value),
  }),
  defineOp('aten::fill.Scalar(Tensor self, Scalar value) -> Tensor', {
    reference: ({ self, value }) => fillWith(cloneAs(self), value),
  }),
  defineOp('aten::fill.Tensor(Tensor self, Tensor value) -> Tensor', {
    reference: ({ self, value }) => fill(cloneAs(self), value),
  }),
  defineOp('aten::fill_diagonal_(Tensor(a!) self, Scalar fill_value, bool wrap=False) -> Tensor(a!)', {
    reference: ({ self, fill_value, wrap }) => fillDiagonal(self, fill_value, wrap),
  }),
  defineOp('aten::zero_(Tensor(a!) self) -> Tensor(a!)', { reference: ({ self }) => fillWith(self, 0) }),
]
