import type { DType } from '../tensor/dtype.ts'
import type { Storage } from '../tensor/storage.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * What a TorchScript pickle can hold. An int is a `number` (a `bigint` outside the safe integers), a float is
 * a `PickleFloat`, `None` is `null`, `bytes` are a `Uint8Array`. A value that occurs twice in the pickle's memo
 * is the same JavaScript object at both places: sharing is identity.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleFloat
  | PickleComplex
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleObject
  | PickleReduce
  | PickleGlobal
  | PickleDevice
  | PickleStorage
  | Tensor

export class PickleFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export class PickleComplex {
  readonly real: number
  readonly imaginary: number
  constructor(real: number, imaginary: number) {
    this.real = real
    this.imaginary = imaginary
  }
}

export class PickleTuple {
  readonly items: readonly PickleValue[]
  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

export class PickleList {
  readonly items: PickleValue[]
  /** The TorchScript annotation where the pickle tells it: `List[int]`, `List[Tuple[str, Tensor]]`. */
  type: string | undefined
  constructor(items: PickleValue[] = [], type?: string) {
    this.items = items
    this.type = type
  }
}

/** A dict in order of insertion. Keys are compared as Python compares them, containers by identity. */
export class PickleDict {
  /** The TorchScript annotation where the pickle tells it: `Dict[str, Tensor]`. */
  type: string | undefined
  #entries: Map<unknown, [key: PickleValue, value: PickleValue]> | undefined

  constructor(entries: Iterable<readonly [PickleValue, PickleValue]> = [], type?: string) {
    this.type = type
    for (const [key, value] of entries) this.set(key, value)
  }

  static #identity(key: PickleValue): unknown {
    if (key instanceof PickleFloat) return key.value
    return typeof key === 'boolean' ? Number(key) : key
  }

  get size(): number {
    return this.#entries?.size ?? 0
  }

  get(key: PickleValue): PickleValue | undefined {
    return this.#entries?.get(PickleDict.#identity(key))?.[1]
  }

  has(key: PickleValue): boolean {
    return this.#entries?.has(PickleDict.#identity(key)) ?? false
  }

  /** Like Python's `d[key] = value`: a key that is there already keeps its place. */
  set(key: PickleValue, value: PickleValue): void {
    this.#entries ??= new Map()
    const identity = PickleDict.#identity(key)
    const entry = this.#entries.get(identity)
    if (entry === undefined) this.#entries.set(identity, [key, value])
    else entry[1] = value
  }

  entries(): Iterable<readonly [key: PickleValue, value: PickleValue]> {
    return this.#entries?.values() ?? []
  }
}

/** The name of a class or function: `module` is all before the last dot of the qualified name. */
export class PickleGlobal {
  readonly module: string
  readonly name: string
  constructor(module: string, name: string) {
    this.module = module
    this.name = name
  }
  get qualifiedName(): string {
    return `${this.module}.${this.name}`
  }
}

/** `cls.__new__(cls, *args)` with `state` set: a module, a script class or a custom class (`__torch__.torch.classes`). */
export class PickleObject {
  readonly class: PickleGlobal
  readonly args: PickleTuple
  /** The attributes as an untyped `PickleDict`, or what the class's `__getstate__` returned. */
  state: PickleValue
  constructor(cls: PickleGlobal, args: PickleTuple, state: PickleValue = null) {
    this.class = cls
    this.args = args
    this.state = state
  }
}

/** `callee(args)`: a member of an enum, whose `args` is the member's value itself (libtorch writes no tuple). */
export class PickleReduce {
  readonly callee: PickleGlobal
  readonly args: PickleValue
  constructor(callee: PickleGlobal, args: PickleValue) {
    this.callee = callee
    this.args = args
  }
}

/** `torch.device`, e.g. `cuda:0`. */
export class PickleDevice {
  readonly device: string
  constructor(device: string) {
    this.device = device
  }
}

/** What a persistent id stands for, before a tensor is made of it. */
export class PickleStorage {
  readonly key: string
  readonly dtype: DType
  /** Where the storage lived when it was saved; here it lives in the host's memory. */
  readonly device: string
  /** In elements of `dtype`. */
  readonly numel: number
  readonly storage: Storage
  constructor(key: string, dtype: DType, device: string, numel: number, storage: Storage) {
    this.key = key
    this.dtype = dtype
    this.device = device
    this.numel = numel
    this.storage = storage
  }
}
