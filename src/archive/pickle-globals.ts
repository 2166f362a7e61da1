import { ForbiddenGlobalError, UnsupportedArchiveError } from './errors.ts'
import { dtypeFromStorageName } from '../tensor/dtype.ts'
import type { PickleMachine } from './pickle-machine.ts'
import { rebuildParameter, rebuildQuantized, rebuildTensor, tensorOfIndex } from './pickle-tensors.ts'
import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleReduce,
  PickleTuple,
  type PickleObject,
  type PickleValue,
} from './pickle-values.ts'
import { Tensor } from '../tensor/tensor.ts'

type Callable = (machine: PickleMachine, args: readonly PickleValue[]) => PickleValue

const isInteger = (value: PickleValue | undefined): boolean =>
  typeof value === 'number' || typeof value === 'bigint'
const isTensor = (value: PickleValue | undefined): boolean => value instanceof Tensor

/** What the functions do that libtorch's pickler calls (pickler.cpp, unpickler.cpp); nothing else can be called. */
const functions = new Map<string, Callable>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_qtensor', rebuildQuantized],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_sparse_tensor', refuseSparse],
  ['torch.jit._pickle.build_intlist', listBuilder('List[int]', isInteger)],
  ['torch.jit._pickle.build_tensorlist', listBuilder('List[Tensor]', isTensor)],
  ['torch.jit._pickle.build_doublelist', listBuilder('List[float]', (value) => value instanceof PickleFloat)],
  ['torch.jit._pickle.build_boollist', listBuilder('List[bool]', (value) => typeof value === 'boolean')],
  ['torch.jit._pickle.build_tensor_from_id', (machine, [index]) => tensorOfIndex(machine, index)],
  ['torch.jit._pickle.restore_type_tag', restoreTypeTag],
  ['collections.OrderedDict', makeOrderedDict],
  ['torch.device', makeDevice],
  ['builtins.complex', makeComplex],
  ['__builtin__.complex', makeComplex],
])

const quantizationSchemes = ['per_tensor_affine', 'per_channel_affine', 'per_channel_affine_float_qparams']

/** Modules and script classes; enums too, which are called. */
const classModules = /^(__torch__|torch\.classes|torch\.jit\.(?!_))(\.|$)/

/** Classes of libtorch 1.0 and 1.1: a tensor by its index in the model's table, and a `List[int]`. */
const legacyClasses = new Set(['__main__.TensorID', '__main__.IntList'])

function isClass({ module, qualifiedName }: PickleGlobal): boolean {
  return classModules.test(module) || legacyClasses.has(qualifiedName)
}

/**
 * Admits the globals that TorchScript archives use. Throws `ForbiddenGlobalError` for every other: a pickle
 * that names one makes Python run it.
 */
export function checkGlobal(machine: PickleMachine, module: string, name: string): PickleGlobal {
  const global = new PickleGlobal(module, name)
  const isConstant =
    module === 'torch' && (dtypeFromStorageName(name) !== undefined || quantizationSchemes.includes(name))
  if (isConstant || functions.has(global.qualifiedName) || isClass(global)) return global
  if (module === 'torch' && name.endsWith('Storage'))
    throw new UnsupportedArchiveError(
      `tensors of the type ${global.qualifiedName} are not supported`,
      machine.place,
    )
  throw new ForbiddenGlobalError(
    `the pickle names the global ${JSON.stringify(global.qualifiedName)}, which no TorchScript archive uses`,
    machine.place,
    'In Python, loading this file would run code of its own. Do not trust it.',
  )
}

/** REDUCE: calls a function that `checkGlobal` admitted. Calling a class gives a member of an enum. */
export function call(machine: PickleMachine, callee: PickleGlobal, args: PickleValue): PickleValue {
  const callable = functions.get(callee.qualifiedName)
  if (callable !== undefined && args instanceof PickleTuple) return callable(machine, args.items)
  if (callable === undefined && isClass(callee)) return new PickleReduce(callee, args)
  return machine.fail(`${callee.qualifiedName} is called with what it cannot take`)
}

/** What BUILD leaves on the stack: the object, or for the classes of old archives what they stand for. */
export function buildLegacy(machine: PickleMachine, object: PickleObject): PickleValue {
  switch (object.class.qualifiedName) {
    case '__main__.TensorID':
      return tensorOfIndex(machine, object.state)
    case '__main__.IntList':
      return listBuilder('List[int]', isInteger)(machine, [object.state])
    default:
      return object
  }
}

function listBuilder(type: string, holds: (value: PickleValue | undefined) => boolean): Callable {
  return (machine, [list]) => {
    if (!(list instanceof PickleList)) return machine.fail(`a ${type} is made of what is no list`)
    if (!list.items.every(holds)) return machine.fail(`a ${type} holds an element of another type`)
    list.type = type
    return list
  }
}

function restoreTypeTag(machine: PickleMachine, [value, type]: readonly PickleValue[]): PickleValue {
  if (!(value instanceof PickleList || value instanceof PickleDict) || typeof type !== 'string')
    return machine.fail('a type is given to what is neither list nor dict')
  value.type = type
  return value
}

/** libtorch writes an empty one for a tensor's hooks. */
function makeOrderedDict(machine: PickleMachine, [items]: readonly PickleValue[]): PickleValue {
  const dict = new PickleDict()
  if (items === undefined) return dict
  if (!(items instanceof PickleList)) return machine.fail('an OrderedDict is made of what is no list')
  for (const item of items.items) {
    const [key, value] = item instanceof PickleTuple ? item.items : []
    if (key === undefined || value === undefined) return machine.fail('an OrderedDict holds what is no pair')
    dict.set(key, value)
  }
  return dict
}

function makeDevice(machine: PickleMachine, [name, index]: readonly PickleValue[]): PickleValue {
  if (typeof name !== 'string') return machine.fail('a device has no name')
  return new PickleDevice(typeof index === 'number' ? `${name}:${index}` : name)
}

function makeComplex(machine: PickleMachine, [real, imaginary]: readonly PickleValue[]): PickleValue {
  if (!(real instanceof PickleFloat && imaginary instanceof PickleFloat))
    return machine.fail('a complex number is made of what are no two floats')
  return new PickleComplex(real.value, imaginary.value)
}

function refuseSparse(machine: PickleMachine): never {
  throw new UnsupportedArchiveError(
    'sparse tensors are not supported',
    machine.place,
    'Convert the tensor by to_dense() before saving the model.',
  )
}
