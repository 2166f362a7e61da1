import { dtypes, itemSize, type DType } from '../tensor/dtype.ts'
import type { Storage } from '../tensor/storage.ts'
import { Tensor, type Quantizer } from '../tensor/tensor.ts'
import { ByteWriter } from './byte-writer.ts'
import { PickleWriteError } from './errors.ts'
import { defaultLimits } from './limits.ts'
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
import { encodeUtf8 } from './utf8.ts'

export interface WrittenPickle {
  readonly bytes: Uint8Array
  /** The storages of its tensors; the key of each is its index. */
  readonly storages: readonly Storage[]
}

/**
 * Writes a pickle as libtorch does (torch/csrc/jit/serialization/pickler.cpp): protocol 2, strings, globals and
 * storages memoised by value, containers and tensors that occur twice by identity, lists and dicts with a type
 * restored to it. The same value gives the same bytes.
 * Throws `PickleWriteError` for values that contain themselves and ints of more than 64 bits.
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
  readonly #out = new ByteWriter()
  readonly #shared: ReadonlySet<PickleValue>
  readonly #memo = new Map<PickleValue, number>()
  readonly #memoOfText = new Map<string, number>()
  readonly #memoOfStorage = new Map<Storage, Map<DType, number>>()
  readonly #keys = new Map<Storage, number>()
  #memoSize = 0

  constructor(shared: ReadonlySet<PickleValue>) {
    this.#shared = shared
    this.#out.uint8(op.PROTO)
    this.#out.uint8(2)
  }

  finish(): WrittenPickle {
    this.#out.uint8(op.STOP)
    return { bytes: this.#out.bytes, storages: [...this.#keys.keys()] }
  }

  write(value: PickleValue): void {
    if (!this.#shared.has(value)) return this.#writeNew(value)
    const memo = this.#memo.get(value)
    if (memo !== undefined) return this.#get(memo)
    this.#writeNew(value)
    this.#memo.set(value, this.#put())
  }

  #writeNew(value: PickleValue): void {
    if (value === null) this.#out.uint8(op.NONE)
    else if (typeof value === 'boolean') this.#out.uint8(value ? op.NEWTRUE : op.NEWFALSE)
    else if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#int(value)
    else if (value instanceof PickleFloat) this.#float(value.value)
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
    if (value instanceof PickleGlobal) this.#global(value.module, value.name)
    else if (value instanceof PickleReduce)
      this.#call(value.callee.module, value.callee.name, () => this.write(value.args))
    else if (value instanceof PickleStorage) this.#storage(value.storage, value.dtype)
    else if (value instanceof PickleComplex)
      this.#call('builtins', 'complex', () =>
        this.#tuple([new PickleFloat(value.real), new PickleFloat(value.imaginary)]),
      )
    else if (value instanceof PickleDevice)
      this.#memoized(`d${value.device}`, () =>
        this.#call('torch', 'device', () => this.#tuple([value.device])),
      )
    else throw new PickleWriteError('TorchScript has no bytes')
  }

  #int(value: number | bigint): void {
    if (typeof value === 'bigint' || value < -(2 ** 31) || value >= 2 ** 31) return this.#long(BigInt(value))
    if (value >= 0 && value < 2 ** 8) {
      this.#out.uint8(op.BININT1)
      this.#out.uint8(value)
    } else if (value >= 0 && value < 2 ** 16) {
      this.#out.uint8(op.BININT2)
      this.#out.uint16(value)
    } else {
      this.#out.uint8(op.BININT)
      this.#out.int32(value)
    }
  }

  #long(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value)
      throw new PickleWriteError(`the int ${value} has more than 64 bits`)
    this.#out.uint8(op.LONG1)
    this.#out.uint8(8)
    this.#out.int64(value)
  }

  #float(value: number): void {
    this.#out.uint8(op.BINFLOAT)
    this.#out.float64(value)
  }

  #text(text: string): void {
    this.#memoized(`s${text}`, () => {
      const bytes = encodeUtf8(text)
      this.#out.uint8(op.BINUNICODE)
      this.#out.uint32(bytes.length)
      this.#out.append(bytes)
    })
  }

  #global(module: string, name: string): void {
    this.#memoized(`g${module}\n${name}`, () => {
      this.#out.uint8(op.GLOBAL)
      this.#out.append(encodeUtf8(`${module}\n${name}\n`))
    })
  }

  #call(module: string, name: string, writeArguments: () => void): void {
    this.#global(module, name)
    writeArguments()
    this.#out.uint8(op.REDUCE)
  }

  #tuple(items: readonly PickleValue[]): void {
    const short = tupleOpcodes[items.length]
    if (short === undefined) return this.#marked(op.TUPLE, () => items.forEach((item) => this.write(item)))
    for (const item of items) this.write(item)
    this.#out.uint8(short)
  }

  #list({ items, type }: PickleList): void {
    const writeItems = (): void => {
      this.#out.uint8(op.EMPTY_LIST)
      this.#marked(op.APPENDS, () => items.forEach((item) => this.write(item)))
    }
    const builder = type === undefined ? undefined : specializedLists[type]
    if (builder !== undefined)
      this.#call('torch.jit._pickle', builder, () => this.#marked(op.TUPLE, writeItems))
    else this.#typed(type, writeItems)
  }

  #dict(dict: PickleDict): void {
    this.#typed(dict.type, () => {
      this.#out.uint8(op.EMPTY_DICT)
      this.#marked(op.SETITEMS, () => {
        for (const [key, value] of dict.entries()) {
          this.write(key)
          this.write(value)
        }
      })
    })
  }

  #typed(type: string | undefined, writeContainer: () => void): void {
    if (type === undefined) return writeContainer()
    this.#call('torch.jit._pickle', 'restore_type_tag', () => {
      writeContainer()
      this.#text(type)
      this.#out.uint8(op.TUPLE2)
    })
  }

  #object(object: PickleObject): void {
    this.#global(object.class.module, object.class.name)
    this.#tuple(object.args.items)
    this.#out.uint8(op.NEWOBJ)
    this.write(object.state)
    this.#out.uint8(op.BUILD)
  }

  #tensor(tensor: Tensor): void {
    const { quantizer } = tensor
    const rebuild = quantizer === undefined ? '_rebuild_tensor_v2' : '_rebuild_qtensor'
    const writeNumbers = (numbers: readonly number[]): void => numbers.forEach((number) => this.#int(number))
    this.#call('torch._utils', rebuild, () =>
      this.#marked(op.TUPLE, () => {
        this.#storage(tensor.storage, tensor.dtype)
        this.#int(tensor.storageOffset)
        this.#marked(op.TUPLE, () => writeNumbers(tensor.sizes))
        this.#marked(op.TUPLE, () => writeNumbers(tensor.strides))
        if (quantizer !== undefined) this.#marked(op.TUPLE, () => this.#quantizer(quantizer))
        this.write(tensor.requiresGrad)
        this.#call('collections', 'OrderedDict', () => this.#tuple([]))
      }),
    )
  }

  #quantizer(quantizer: Quantizer): void {
    this.#global('torch', quantizer.scheme)
    if (quantizer.scheme === 'per_tensor_affine') {
      this.#float(quantizer.scale)
      this.#int(quantizer.zeroPoint)
    } else {
      this.write(quantizer.scales)
      this.write(quantizer.zeroPoints)
      this.#int(quantizer.axis)
    }
  }

  /** Once for each dtype that it is looked at with: libtorch takes a tensor's dtype from its storage. */
  #storage(storage: Storage, dtype: DType): void {
    const memos = this.#memoOfStorage.get(storage) ?? new Map<DType, number>()
    this.#memoOfStorage.set(storage, memos)
    const memo = memos.get(dtype)
    if (memo !== undefined) return this.#get(memo)
    const key = this.#keys.get(storage) ?? this.#keys.size
    this.#keys.set(storage, key)
    this.#marked(op.TUPLE, () => {
      this.#text('storage')
      this.#global('torch', dtypes[dtype].storageName)
      this.#text(String(key))
      this.#text('cpu')
      this.#int(Math.floor(storage.byteLength / itemSize(dtype)))
    })
    this.#out.uint8(op.BINPERSID)
    memos.set(dtype, this.#put())
  }

  #marked(opcode: number, writeItems: () => void): void {
    this.#out.uint8(op.MARK)
    writeItems()
    this.#out.uint8(opcode)
  }

  #memoized(key: string, write: () => void): void {
    const memo = this.#memoOfText.get(key)
    if (memo !== undefined) return this.#get(memo)
    write()
    this.#memoOfText.set(key, this.#put())
  }

  /** Remembers the value on top; gives its memo. */
  #put(): number {
    this.#memoOpcode(op.BINPUT, op.LONG_BINPUT, this.#memoSize)
    return this.#memoSize++
  }

  #get(memo: number): void {
    this.#memoOpcode(op.BINGET, op.LONG_BINGET, memo)
  }

  #memoOpcode(short: number, long: number, memo: number): void {
    if (memo < 256) {
      this.#out.uint8(short)
      this.#out.uint8(memo)
    } else {
      this.#out.uint8(long)
      this.#out.uint32(memo)
    }
  }
}
