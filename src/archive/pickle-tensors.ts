import { dtypeFromStorageName, itemSize } from '../tensor/dtype.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor, type Quantizer } from '../tensor/tensor.ts'
import { TensorLayoutError, UnsupportedArchiveError } from './errors.ts'
import type { PickleMachine } from './pickle-machine.ts'
import {
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleStorage,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'

type Values = readonly (PickleValue | undefined)[]

/** BINPERSID: `('storage', torch.FloatStorage, key, device, numel)`, from which libtorch gets the bytes. */
export function resolvePersistentId(machine: PickleMachine, id: PickleValue): PickleStorage {
  const [tag, type, key, device, numel]: Values = id instanceof PickleTuple ? id.items : []
  const dtype =
    type instanceof PickleGlobal && type.module === 'torch' ? dtypeFromStorageName(type.name) : undefined
  if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || typeof device !== 'string')
    return machine.fail('a persistent id names no storage')
  if (!isCount(numel)) return machine.fail(`storage ${key} has an impossible number of elements`)
  const { surroundings } = machine
  if (surroundings.storage === undefined) return machine.fail('a tensor is not expected here')
  const storage =
    numel === 0 ? new Storage(new Uint8Array(0)) : surroundings.storage({ key, dtype, device, numel })
  if (storage.byteLength < numel * itemSize(dtype))
    throw new TensorLayoutError(
      `storage ${key} has ${storage.byteLength} bytes, too few for its ${numel} elements of ${dtype}`,
      machine.place,
    )
  return new PickleStorage(key, dtype, device, numel, storage)
}

/** `_rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks, metadata)`. */
export function rebuildTensor(machine: PickleMachine, args: Values): Tensor {
  const [storage, offset, sizes, strides, requiresGrad, , metadata] = args
  if (metadata instanceof PickleDict)
    for (const [flag, value] of metadata.entries()) if (value !== false) refuseFlag(machine, flag)
  return makeTensor(machine, [storage, offset, sizes, strides], requiresGrad === true)
}

/** A conjugate or negated view, which is not undone in its storage. */
function refuseFlag(machine: PickleMachine, flag: PickleValue): never {
  const name = typeof flag === 'string' ? flag : 'an unknown one'
  throw new UnsupportedArchiveError(
    `a tensor with the flag ${name} is not supported`,
    machine.place,
    'Call resolve_conj() or resolve_neg() on the tensor before saving the model.',
  )
}

/** `_rebuild_qtensor(storage, offset, sizes, strides, quantizer, requires_grad, hooks)`. */
export function rebuildQuantized(machine: PickleMachine, args: Values): Tensor {
  const [storage, offset, sizes, strides, parameters, requiresGrad] = args
  const quantizer = readQuantizer(machine, parameters)
  return makeTensor(machine, [storage, offset, sizes, strides], requiresGrad === true, quantizer)
}

/** `_rebuild_parameter(tensor, requires_grad, hooks)`. */
export function rebuildParameter(machine: PickleMachine, [tensor, requiresGrad]: Values): Tensor {
  if (!(tensor instanceof Tensor)) return machine.fail('a parameter is made of what is no tensor')
  const { strides, storageOffset, quantizer } = tensor
  const options = {
    strides,
    storageOffset,
    requiresGrad: requiresGrad === true,
    ...(quantizer && { quantizer }),
  }
  return new Tensor(tensor.storage, tensor.dtype, tensor.sizes, options)
}

/** A tensor of the table that archives before libtorch 1.4 keep in `model.json`. */
export function tensorOfIndex(machine: PickleMachine, index: PickleValue | undefined): Tensor {
  const tensor = typeof index === 'number' ? machine.surroundings.tensor?.(index) : undefined
  return tensor ?? machine.fail('the tensor table has no such tensor')
}

function readQuantizer(machine: PickleMachine, parameters: PickleValue | undefined): Quantizer {
  const [scheme, first, second, axis]: Values = parameters instanceof PickleTuple ? parameters.items : []
  const name = scheme instanceof PickleGlobal && scheme.module === 'torch' ? scheme.name : undefined
  if (name === 'per_tensor_affine' && first instanceof PickleFloat && typeof second === 'number')
    return { scheme: name, scale: first.value, zeroPoint: second }
  const isPerChannel = name === 'per_channel_affine' || name === 'per_channel_affine_float_qparams'
  if (isPerChannel && first instanceof Tensor && second instanceof Tensor && typeof axis === 'number')
    return { scheme: name, scales: first, zeroPoints: second, axis }
  return machine.fail('a quantised tensor has no valid scale and zero point')
}

function makeTensor(
  machine: PickleMachine,
  [source, offset, sizes, strides]: Values,
  requiresGrad: boolean,
  quantizer?: Quantizer,
): Tensor {
  if (!(source instanceof PickleStorage)) return machine.fail('a tensor has no storage')
  const layout = {
    sizes: readSizes(sizes),
    strides: readSizes(strides),
    offset: isCount(offset) ? offset : undefined,
  }
  const { repeatedElements } = machine.surroundings.limits
  const elements = Math.floor(source.storage.byteLength / itemSize(source.dtype))
  const fault = layoutFault(layout, elements, repeatedElements)
  if (fault !== undefined)
    throw new TensorLayoutError(
      `a tensor in storage ${source.key} ${fault}`,
      machine.place,
      'The file is damaged.',
    )
  const { sizes: checkedSizes = [], strides: checkedStrides = [], offset: storageOffset = 0 } = layout
  const options = { strides: checkedStrides, storageOffset, requiresGrad, ...(quantizer && { quantizer }) }
  return new Tensor(source.storage, source.dtype, checkedSizes, options)
}

export interface TensorLayout {
  readonly sizes: readonly number[] | undefined
  readonly strides: readonly number[] | undefined
  readonly offset: number | undefined
}

/** What is wrong with a tensor of this layout in a storage of `elements` elements, if anything. */
export function layoutFault(
  layout: TensorLayout,
  elements: number,
  repeatedElements: number,
): string | undefined {
  const { sizes, strides, offset } = layout
  if (sizes === undefined) return 'has a size that is negative or no int'
  if (strides === undefined) return 'has a stride that is negative or no int'
  if (offset === undefined) return 'has an offset that is negative or no int'
  if (sizes.length !== strides.length) return `has ${sizes.length} sizes but ${strides.length} strides`
  const last = lastElement(sizes, strides, offset)
  if (last >= elements) return `reaches to element ${last} of ${elements}`
  const numel = sizes.reduce((product, size) => product * size, 1)
  if (numel > elements && numel > repeatedElements)
    return `has the sizes [${sizes.join(', ')}] in ${elements} elements`
  return undefined
}

/** The largest index in the storage that the tensor reads; -1 for an empty tensor. */
function lastElement(sizes: readonly number[], strides: readonly number[], offset: number): number {
  if (sizes.includes(0)) return -1
  return sizes.reduce((last, size, dimension) => last + (size - 1) * (strides[dimension] ?? 0), offset)
}

function readSizes(value: PickleValue | undefined): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : undefined
  return items?.every(isCount) ? items : undefined
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && value >= 0
}
