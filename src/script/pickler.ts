import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleTuple,
  type PickleValue,
} from '../archive/pickle-values.ts'
import {
  Complex,
  Device,
  Dict,
  Double,
  EnumValue,
  List,
  OpaqueValue,
  ScriptObject,
  Tuple,
  type IValue,
} from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'
import { ModuleSaveError } from './errors.ts'
import type { Type } from '../ir/types.ts'

/** What converting a value asks of the printer of the archive: the name of a type, written out with it. */
export type AnnotateType = (type: Type) => string

/** Turns interpreter values into what a pickle can hold; what is shared stays shared. */
export class Pickler {
  readonly #annotate: AnnotateType
  readonly #done = new Map<object, PickleValue>()

  constructor(annotate: AnnotateType) {
    this.#annotate = annotate
  }

  /** @throws ModuleSaveError for values that have no pickle: functions, futures, tensors without elements */
  convert(value: IValue): PickleValue {
    if (value === null || typeof value !== 'object') return value
    if (value instanceof Tensor) return requireElements(value)
    const known = this.#done.get(value)
    if (known !== undefined) return known
    const converted = this.#convertNew(value)
    this.#done.set(value, converted)
    return converted
  }

  #convertNew(value: IValue & object): PickleValue {
    if (value instanceof Double) return new PickleFloat(value.value)
    if (value instanceof Complex) return new PickleComplex(value.real, value.imag)
    if (value instanceof Device) return new PickleDevice(value.toString())
    if (value instanceof Tuple) return new PickleTuple(value.elements.map((item) => this.convert(item)))
    if (value instanceof List) return this.#list(value)
    if (value instanceof Dict) return this.#dict(value)
    if (value instanceof EnumValue)
      return new PickleReduce(globalOf(this.#annotate(value.type)), this.convert(value.value))
    if (value instanceof OpaqueValue)
      return new PickleObject(globalOf(value.className), new PickleTuple([]), this.convert(value.state))
    if (value instanceof ScriptObject) return this.#object(value)
    throw new ModuleSaveError(`a ${value.constructor.name} cannot be saved`)
  }

  #list(value: List): PickleList {
    const list = new PickleList([], `List[${this.#annotate(value.elementType)}]`)
    this.#done.set(value, list)
    for (const item of value.elements) list.items.push(this.convert(item))
    return list
  }

  #dict(value: Dict): PickleDict {
    const dict = new PickleDict(
      [],
      this.#annotate({ kind: 'Dict', key: value.keyType, value: value.valueType }),
    )
    this.#done.set(value, dict)
    for (const [key, item] of value.entries()) dict.set(this.convert(key), this.convert(item))
    return dict
  }

  #object(value: ScriptObject): PickleObject {
    if (value.pickledState !== undefined)
      return new PickleObject(
        globalOf(this.#annotate(value.type)),
        new PickleTuple([]),
        this.convert(value.pickledState),
      )
    const state = new PickleDict()
    const object = new PickleObject(globalOf(this.#annotate(value.type)), new PickleTuple([]), state)
    this.#done.set(value, object)
    for (const name of value.type.attributes.keys())
      state.set(name, this.convert(value.slots.get(name) ?? null))
    return object
  }
}

function requireElements(tensor: Tensor): Tensor {
  if (!tensor.isMeta) return tensor
  throw new ModuleSaveError(
    `a tensor of ${tensor.dtype} [${tensor.sizes.join(', ')}] without elements cannot be saved`,
    {},
    'it stands for the shape of a tensor only; save the model as it was before it was specialised',
  )
}

function globalOf(qualifiedName: string): PickleGlobal {
  const dot = qualifiedName.lastIndexOf('.')
  return new PickleGlobal(qualifiedName.slice(0, dot), qualifiedName.slice(dot + 1))
}
