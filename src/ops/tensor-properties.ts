import { Device } from '../ir/ivalue.ts'
import { dtypes, itemSize } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { hasFormat, isDense } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { forEach, rawFamily } from './raw-family.ts'

/** One length or stride; a tensor without dimensions has none to ask for. */
function ofDimension(values: readonly number[], dim: number): number {
  if (values.length === 0)
    throw new OperatorArgumentError('a tensor without dimensions has no sizes', { argument: 'dim' })
  return values[wrapDimension(dim, values.length)]!
}

const shape = [
  defineOp('aten::size(Tensor self) -> int[]', { reference: ({ self }) => [...self.sizes] }),
  defineOp('aten::size.int(Tensor self, int dim) -> int', {
    reference: ({ self, dim }) => ofDimension(self.sizes, dim),
  }),
  defineOp('aten::stride(Tensor self) -> int[]', { reference: ({ self }) => [...self.strides] }),
  defineOp('aten::stride.int(Tensor self, int dim) -> int', {
    reference: ({ self, dim }) => ofDimension(self.strides, dim),
  }),
  defineOp('aten::dim(Tensor self) -> int', { reference: ({ self }) => self.dim }),
  defineOp('aten::numel(Tensor self) -> int', { reference: ({ self }) => self.numel }),
  defineOp('aten::len.Tensor(Tensor t) -> int', {
    reference: ({ t }) => {
      if (t.dim === 0) throw new OperatorArgumentError('len() of a 0-d tensor')
      return t.sizes[0]!
    },
  }),
  defineOp('aten::storage_offset(Tensor self) -> int', { reference: ({ self }) => self.storageOffset }),
  defineOp('aten::element_size(Tensor self) -> int', { reference: ({ self }) => itemSize(self.dtype) }),
  defineOp('aten::_shape_as_tensor(Tensor self) -> Tensor', {
    reference: ({ self }) => Tensor.from('int64', [self.dim], self.sizes),
  }),
  defineOp('aten::is_same_size(Tensor self, Tensor other) -> bool', {
    reference: ({ self, other }) => self.sizes.join() === other.sizes.join(),
  }),
  defineOp('aten::is_set_to(Tensor self, Tensor tensor) -> bool', {
    reference: ({ self, tensor }) =>
      self.storage === tensor.storage &&
      self.storageOffset === tensor.storageOffset &&
      self.sizes.join() === tensor.sizes.join() &&
      self.strides.join() === tensor.strides.join(),
  }),
]

const layout = [
  defineOp('aten::is_contiguous(Tensor self) -> bool', { reference: ({ self }) => self.isContiguous }),
  defineOp('aten::is_contiguous.memory_format(Tensor self, MemoryFormat memory_format) -> bool', {
    reference: ({ self, memory_format }) => hasFormat(self, memory_format),
  }),
  defineOp('aten::is_non_overlapping_and_dense(Tensor self) -> bool', {
    reference: ({ self }) => isDense(self),
  }),
  /** Every tensor here is strided: code 0. */
  defineOp('prim::layout(Tensor a) -> Layout', { reference: () => 0 }),
]

const elementType = [
  defineOp('prim::dtype(Tensor a) -> int', { reference: ({ a }) => dtypes[a.dtype].code }),
  defineOp('aten::is_floating_point(Tensor self) -> bool', {
    reference: ({ self }) => dtypes[self.dtype].category === 'floating',
  }),
  defineOp('aten::is_complex(Tensor self) -> bool', {
    reference: ({ self }) => dtypes[self.dtype].category === 'complex',
  }),
  defineOp('aten::is_signed(Tensor self) -> bool', {
    reference: ({ self }) => !['uint8', 'bool', 'quint8'].includes(self.dtype),
  }),
  defineOp('prim::is_quantized(Tensor a) -> bool', {
    reference: ({ a }) => dtypes[a.dtype].category === 'quantized',
  }),
]

const otherDevices = [
  'cuda',
  'xpu',
  'ipu',
  'mps',
  'ort',
  'vulkan',
  'meta',
  'mkldnn',
  'nested',
  'sparse',
  'sparse_csr',
]

/** Everything lives on the CPU, strided, outside any graph of gradients. */
const place = [
  defineOp('prim::device(Tensor a) -> Device', { reference: () => new Device('cpu') }),
  defineOp('aten::get_device(Tensor self) -> int', { reference: () => -1 }),
  defineOp('prim::is_cpu(Tensor a) -> bool', { reference: () => true }),
  ...rawFamily(forEach(otherDevices, 'prim::is_KEY(Tensor a) -> bool'), () => false),
  ...rawFamily(
    forEach(['conj', 'neg', 'distributed', 'inference', 'coalesced'], 'aten::is_KEY(Tensor self) -> bool'),
    () => false,
  ),
  defineOp('aten::is_pinned(Tensor self, Device? device=None) -> bool', { reference: () => false }),
  defineOp('aten::is_leaf(Tensor self) -> bool', { reference: () => true }),
  defineOp('prim::requires_grad(Tensor a) -> bool', { reference: ({ a }) => a.requiresGrad }),
  defineOp('prim::data(Tensor(a) a) -> Tensor(a)', { reference: ({ a }) => a.detach() }),
  defineOp('prim::name(Tensor a) -> str?', { reference: () => null }),
]

export const tensorProperties: readonly Operator[] = [...shape, ...layout, ...elementType, ...place]
