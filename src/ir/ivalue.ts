import { Tensor } from '../tensor/tensor.ts'
import type { ClassType } from './class-type.ts'
import { type GraphFunction } from './graph-function.ts'
import type { EnumType, TupleType, Type } from './types.ts'

/**
 * A value of the interpreter or of a constant, after `c10::IValue`. A TorchScript int is a `number`
 * (a `bigint` only outside the safe integer range); a TorchScript float is a `Double`, so that `1` and `1.0`
 * stay apart where no static type tells (Scalar, Any, Union); None is `null`.
 */
export type IValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Double
  | Complex
  | Tensor
  | List
  | Dict
  | Tuple
  | ScriptObject
  | EnumValue
  | Device
  | Future
  | GraphFunction
  | OpaqueValue

/** A number that may be int, float or bool: a TorchScript `Scalar`. */
export type Scalar = number | bigint | boolean | Double | Complex

/** A TorchScript float. */
export class Double {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export class Complex {
  readonly real: number
  readonly imag: number
  constructor(real: number, imag: number) {
    this.real = real
    this.imag = imag
  }
}

/** A mutable list with reference semantics. */
export class List {
  readonly elements: IValue[]
  readonly elementType: Type
  constructor(elements: IValue[], elementType: Type) {
    this.elements = elements
    this.elementType = elementType
  }
}

export class Tuple {
  readonly elements: readonly IValue[]
  /** Set for a NamedTuple. */
  readonly type: TupleType | undefined
  constructor(elements: readonly IValue[], type?: TupleType) {
    this.elements = elements
    this.type = type
  }
}

export type DictKey = IValue

/** A mutable, insertion-ordered map with reference semantics; keys are str, int, float, bool, complex or Tensor. */
export class Dict {
  readonly keyType: Type
  readonly valueType: Type
  readonly #entries = new Map<unknown, [key: DictKey, value: IValue]>()
  constructor(keyType: Type, valueType: Type) {
    this.keyType = keyType
    this.valueType = valueType
  }
  static #hash(key: DictKey): unknown {
    return key instanceof Double ? `float ${key.value}` : typeof key === 'string' ? `str ${key}` : key
  }
  get size(): number {
    return this.#entries.size
  }
  get(key: DictKey): IValue | undefined {
    return this.#entries.get(Dict.#hash(key))?.[1]
  }
  has(key: DictKey): boolean {
    return this.#entries.has(Dict.#hash(key))
  }
  set(key: DictKey, value: IValue): void {
    const hash = Dict.#hash(key)
    const entry = this.#entries.get(hash)
    if (entry) entry[1] = value
    else this.#entries.set(hash, [key, value])
  }
  delete(key: DictKey): boolean {
    return this.#entries.delete(Dict.#hash(key))
  }
  clear(): void {
    this.#entries.clear()
  }
  /** In order of insertion. */
  entries(): Iterable<readonly [key: DictKey, value: IValue]> {
    return this.#entries.values()
  }
}

/** An instance of a class; a module is one too. */
export class ScriptObject {
  readonly type: ClassType
  readonly slots: Map<string, IValue>
  /** What `__getstate__` gave when the object was saved; its slots are empty until `__setstate__` has run. */
  pickledState: IValue | undefined
  constructor(type: ClassType, slots: Map<string, IValue> = new Map<string, IValue>()) {
    this.type = type
    this.slots = slots
  }
}

export class EnumValue {
  readonly type: EnumType
  readonly name: string
  readonly value: IValue
  constructor(type: EnumType, name: string, value: IValue) {
    this.type = type
    this.name = name
    this.value = value
  }
}

export class Device {
  readonly type: string
  readonly index: number | undefined
  constructor(type: string, index?: number) {
    this.type = type
    this.index = index
  }
  toString(): string {
    return this.index === undefined ? this.type : `${this.type}:${this.index}`
  }
}

/** The result of `fork`; computed on the spot. */
export class Future {
  readonly value: IValue
  readonly elementType: Type
  constructor(value: IValue, elementType: Type) {
    this.value = value
    this.elementType = elementType
  }
}

/** An instance of a class we cannot look into (packed parameters of quantised operators): its pickled state. */
export class OpaqueValue {
  readonly className: string
  readonly state: IValue
  constructor(className: string, state: IValue) {
    this.className = className
    this.state = state
  }
}

export function isTensor(value: IValue | undefined): value is Tensor {
  return value instanceof Tensor
}

/** The number in a Scalar; a bool counts as 0 or 1. The real part of a complex number is never taken silently: NaN. */
export function scalarToNumber(scalar: Scalar): number {
  if (scalar instanceof Double) return scalar.value
  if (scalar instanceof Complex) return scalar.imag === 0 ? scalar.real : NaN
  return Number(scalar)
}
