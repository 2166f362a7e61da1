import { plainTensor } from '../tensor/convert-layout.ts'
import { dtypes, itemSize, type DType } from '../tensor/dtype.ts'
import type { Storage } from '../tensor/storage.ts'
import { Tensor, type Quantizer } from '../tensor/tensor.ts'
import { PickleWriteError } from './errors.ts'
import { defaultLimits } from './limits.ts'
import { PickleEmitter } from './pickle-emitter.ts'
import { opcodes as op } from './pickle-opcodes.ts'
import { shapeFault, sharedValues } from './pickle-shape.ts'
import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleStorage,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'

export interface WrittenPickle {
  readonly bytes: Uint8Array
  /** The storages of its tensors; the key of each is its index. */
  readonly storages: readonly Storage[]
}

/**
 * Writes a pickle as libtorch does (torch/csrc/jit/serialization/pickler.cpp): protocol 2, strings, globals and
 * storages memoised by value, containers and tensors that occur twice by identity, lists and dicts with a type
 * restored to it. The same value gives the same bytes.
 * Throws `PickleWriteError` for values that contain themselves, for ints of more than 64 bits and for bytes.
 */
export function writePickle(value: PickleValue): WrittenPickle {
  const fault = shapeFault(value, { ...defaultLimits, pickleValues: Infinity })
  if (fault !== undefined) throw new PickleWriteError(fault)
  const pickler = new Pickler(sharedValues(value))
  pickler.write(value)
  return pickler.finish()
}

const specializedLists: Readonly<Record<string, string>> = {
  'List[int]': 'build_intlist',
  'List[Tensor]': 'build_tensorlist',
  'List[float]': 'build_doublelist',
  'List[bool]': 'build_boollist',
}

const tupleOpcodes = [op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3]

class Pickler {
  readonly #emit = new PickleEmitter()
  readonly #shared: ReadonlySet<PickleValue>
  readonly #memo = new Map<PickleValue, number>()
  /** A storage is memoised once for each dtype that it is looked at with. */
  readonly #storages = new Map<Storage, { readonly key: number; readonly memo: Map<DType, number> }>()

  constructor(shared: ReadonlySet<PickleValue>) {
    this.#shared = shared
  }

  finish(): WrittenPickle {
    return { bytes: this.#emit.finish(), storages: [...this.#storages.keys()] }
  }

  write(value: PickleValue): void {
    const writeNew = (): void => {
      this.#writeNew(value)
    }
    if (this.#shared.has(value))
      this.#emit.once(this.#memo.get(value), writeNew, (memo) => this.#memo.set(value, memo))
    else writeNew()
  }

  #writeNew(value: PickleValue): void {
    if (value === null) this.#emit.opcode(op.NONE)
    else if (typeof value === 'boolean') this.#emit.opcode(value ? op.NEWTRUE : op.NEWFALSE)
    else if (typeof value === 'string') this.#emit.text(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#emit.int(value)
    else if (value instanceof PickleFloat) this.#emit.float(value.value)
    else if (value instanceof Tensor) this.#tensor(value)
    else if (value instanceof PickleTuple) this.#tuple(value.items)
    else if (value instanceof PickleList) this.#list(value)
    else if (value instanceof PickleDict) this.#dict(value)
    else if (value instanceof PickleObject) this.#object(value)
    else this.#rare(value)
  }

  #rare(
    value: PickleComplex | PickleDevice | PickleReduce | PickleGlobal | PickleStorage | Uint8Array,
  ): void {
    if (value instanceof PickleGlobal) this.#emit.global(value.module, value.name)
    else if (value instanceof PickleStorage) this.#storage(value.storage, value.dtype)
    else if (value instanceof PickleReduce)
      this.#emit.call(value.callee.module, value.callee.name, () => this.write(value.args))
    else if (value instanceof PickleComplex) this.#complex(value)
    else if (value instanceof PickleDevice) this.#device(value.device)
    else throw new PickleWriteError('TorchScript has no bytes')
  }

  #complex({ real, imaginary }: PickleComplex): void {
    this.#emit.call('builtins', 'complex', () =>
      this.#tuple([new PickleFloat(real), new PickleFloat(imaginary)]),
    )
  }

  #device(device: string): void {
    this.#emit.memoized(`d${device}`, () => this.#emit.call('torch', 'device', () => this.#tuple([device])))
  }

  #writeAll(values: readonly PickleValue[]): void {
    for (const value of values) this.write(value)
  }

  #tuple(items: readonly PickleValue[]): void {
    const short = tupleOpcodes[items.length]
    if (short === undefined) {
      this.#emit.marked(op.TUPLE, () => this.#writeAll(items))
    } else {
      this.#writeAll(items)
      this.#emit.opcode(short)
    }
  }

  #list({ items, type }: PickleList): void {
    const writeItems = (): void => {
      this.#emit.opcode(op.EMPTY_LIST)
      this.#emit.marked(op.APPENDS, () => this.#writeAll(items))
    }
    const builder = type === undefined ? undefined : specializedLists[type]
    if (builder === undefined) this.#typed(type, writeItems)
    else this.#emit.call('torch.jit._pickle', builder, () => this.#emit.marked(op.TUPLE, writeItems))
  }

  #dict(dict: PickleDict): void {
    this.#typed(dict.type, () => {
      this.#emit.opcode(op.EMPTY_DICT)
      this.#emit.marked(op.SETITEMS, () => {
        for (const entry of dict.entries()) this.#writeAll(entry)
      })
    })
  }

  #typed(type: string | undefined, writeContainer: () => void): void {
    const writeTyped = (annotation: string): void => {
      writeContainer()
      this.#emit.text(annotation)
      this.#emit.opcode(op.TUPLE2)
    }
    if (type === undefined) writeContainer()
    else this.#emit.call('torch.jit._pickle', 'restore_type_tag', () => writeTyped(type))
  }

  #object(object: PickleObject): void {
    this.#emit.global(object.class.module, object.class.name)
    this.#tuple(object.args.items)
    this.#emit.opcode(op.NEWOBJ)
    this.write(object.state)
    this.#emit.opcode(op.BUILD)
  }

  /** A tensor in another layout is written row-major, so that libtorch can read it. */
  #tensor(given: Tensor): void {
    const tensor = plainTensor(given)
    const { quantizer } = tensor
    const rebuild = quantizer === undefined ? '_rebuild_tensor_v2' : '_rebuild_qtensor'
    this.#emit.call('torch._utils', rebuild, () =>
      this.#emit.marked(op.TUPLE, () => {
        this.#storage(tensor.storage, tensor.dtype)
        this.#emit.int(tensor.storageOffset)
        this.#emit.marked(op.TUPLE, () => this.#writeAll(tensor.sizes))
        this.#emit.marked(op.TUPLE, () => this.#writeAll(tensor.strides))
        if (quantizer !== undefined) this.#emit.marked(op.TUPLE, () => this.#quantizer(quantizer))
        this.write(tensor.requiresGrad)
        this.#emit.call('collections', 'OrderedDict', () => this.#tuple([]))
      }),
    )
  }

  #quantizer(quantizer: Quantizer): void {
    this.#emit.global('torch', quantizer.scheme)
    if (quantizer.scheme === 'per_tensor_affine') {
      this.#emit.float(quantizer.scale)
      this.#emit.int(quantizer.zeroPoint)
    } else {
      this.#writeAll([quantizer.scales, quantizer.zeroPoints, quantizer.axis])
    }
  }

  /** A second dtype gets a persistent id of its own: libtorch takes a tensor's dtype from its storage. */
  #storage(storage: Storage, dtype: DType): void {
    const { key, memo } = this.#storages.get(storage) ?? {
      key: this.#storages.size,
      memo: new Map<DType, number>(),
    }
    this.#storages.set(storage, { key, memo })
    const writeId = (): void => {
      this.#emit.marked(op.TUPLE, () => {
        this.#emit.text('storage')
        this.#emit.global('torch', dtypes[dtype].storageName)
        this.#emit.text(String(key))
        this.#emit.text('cpu')
        this.#emit.int(Math.floor(storage.byteLength / itemSize(dtype)))
      })
      this.#emit.opcode(op.BINPERSID)
    }
    this.#emit.once(memo.get(dtype), writeId, (index) => memo.set(dtype, index))
  }
}
