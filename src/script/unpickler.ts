import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleTuple,
  type PickleValue,
} from '../archive/pickle-values.ts'
import type { ClassType } from '../ir/class-type.ts'
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
import { typeOfValue } from '../ir/type-of-value.ts'
import { unifyTypes } from '../ir/type-relations.ts'
import { AnyT, type Type } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { ModuleLoadError } from './errors.ts'
import { parseExpressionText } from './statement-parser.ts'
import { resolveType, type NamedTypeLookup } from './type-resolver.ts'

/**
 * Turns what a pickle holds into interpreter values, led by the declared types: the pickle does not tell a list of
 * ints from a list of floats when it is empty. What was shared in the pickle stays shared.
 */
export class Unpickler {
  readonly #lookup: NamedTypeLookup
  readonly #done = new Map<PickleValue, IValue>()

  constructor(lookup: NamedTypeLookup) {
    this.#lookup = lookup
  }

  /** @throws ModuleLoadError where a value does not fit its type */
  convert(value: PickleValue, type: Type, path: string): IValue {
    if (value === null || typeof value !== 'object') return this.#scalar(value, type)
    const known = this.#done.get(value)
    if (known !== undefined) return known
    const converted = this.#convertNew(value, type, path)
    this.#done.set(value, converted)
    return converted
  }

  #scalar(value: null | boolean | number | bigint | string, type: Type): IValue {
    const plain = type.kind === 'Optional' ? type.element : type
    return plain.kind === 'Float' && typeof value === 'number' ? new Double(value) : value
  }

  #convertNew(
    value: Exclude<PickleValue, null | boolean | number | bigint | string>,
    type: Type,
    path: string,
  ): IValue {
    const plain = type.kind === 'Optional' ? type.element : type
    if (value instanceof Tensor) return value
    if (value instanceof PickleFloat) return new Double(value.value)
    if (value instanceof PickleComplex) return new Complex(value.real, value.imaginary)
    if (value instanceof PickleDevice) return parseDevice(value.device)
    if (value instanceof PickleTuple) return this.#tuple(value, plain, path)
    if (value instanceof PickleList) return this.#list(value, plain, path)
    if (value instanceof PickleDict) return this.#dict(value, plain, path)
    if (value instanceof PickleObject) return this.#object(value, path)
    if (value instanceof PickleReduce) return this.#enumMember(value, path)
    throw new ModuleLoadError(`a ${value.constructor.name} cannot be an attribute`, {
      entry: 'data.pkl',
      value: path,
    })
  }

  #tuple(value: PickleTuple, type: Type, path: string): IValue {
    const types = type.kind === 'Tuple' ? type.elements : []
    const elements = value.items.map((item, i) => this.convert(item, types[i] ?? AnyT, `${path}.${i}`))
    return new Tuple(elements, type.kind === 'Tuple' && type.name !== undefined ? type : undefined)
  }

  #list(value: PickleList, type: Type, path: string): IValue {
    const tagged = value.type === undefined ? undefined : this.#parseType(value.type)
    const elementType =
      type.kind === 'List' ? type.element : tagged?.kind === 'List' ? tagged.element : undefined
    const elements = value.items.map((item, i) => this.convert(item, elementType ?? AnyT, `${path}.${i}`))
    return new List(elements, elementType ?? commonType(elements))
  }

  #dict(value: PickleDict, type: Type, path: string): IValue {
    const tagged = value.type === undefined ? undefined : this.#parseType(value.type)
    const known = type.kind === 'Dict' ? type : tagged?.kind === 'Dict' ? tagged : undefined
    const entries = [...value.entries()].map(
      ([key, item]) =>
        [
          this.convert(key, known?.key ?? AnyT, path),
          this.convert(item, known?.value ?? AnyT, `${path}.${typeof key === 'object' ? '?' : String(key)}`),
        ] as const,
    )
    const dict = new Dict(
      known?.key ?? commonType(entries.map(([key]) => key)),
      known?.value ?? commonType(entries.map(([, item]) => item)),
    )
    for (const [key, item] of entries) dict.set(key, item)
    return dict
  }

  #object(value: PickleObject, path: string): IValue {
    const name = value.class.qualifiedName
    const type = this.#lookup(name)
    if (type?.kind === 'Opaque') return new OpaqueValue(name, this.convert(value.state, AnyT, path))
    if (type?.kind !== 'Class')
      throw new ModuleLoadError(
        `the data holds an object of class ${name}, which the code does not define`,
        { entry: 'data.pkl', value: path },
        'the archive is incomplete',
      )
    const object = new ScriptObject(type)
    this.#done.set(value, object)
    this.#fillSlots(object, type, value.state, path)
    return object
  }

  #fillSlots(object: ScriptObject, type: ClassType, state: PickleValue, path: string): void {
    const setState = type.methods.get('__setstate__')
    if (setState !== undefined) {
      object.pickledState = this.convert(state, setState.schema.arguments[1]?.type ?? AnyT, path)
      return
    }
    if (!(state instanceof PickleDict))
      throw new ModuleLoadError(`the state of an object of class ${type.name} is no dict`, {
        entry: 'data.pkl',
        value: path,
      })
    for (const { name, type: attributeType } of type.attributes.values()) {
      const content = state.get(name)
      if (content === undefined)
        throw new ModuleLoadError(`attribute '${name}' of ${type.name} has no value`, {
          entry: 'data.pkl',
          value: path,
        })
      object.slots.set(name, this.convert(content, attributeType, path === '' ? name : `${path}.${name}`))
    }
  }

  #enumMember(value: PickleReduce, path: string): IValue {
    const type = this.#lookup(value.callee.qualifiedName)
    const content = this.convert(value.args, AnyT, path)
    const plain = content instanceof Tuple ? (content.elements[0] ?? null) : content
    const member =
      type?.kind === 'Enum' ? type.members.find(([, member]) => sameLiteral(member, plain)) : undefined
    if (type?.kind !== 'Enum' || member === undefined)
      throw new ModuleLoadError(`no member of enum ${value.callee.qualifiedName} has that value`, {
        entry: 'data.pkl',
        value: path,
      })
    return new EnumValue(type, member[0], member[1])
  }

  #parseType(text: string): Type {
    return resolveType(parseExpressionText({ name: 'data.pkl', text }), this.#lookup)
  }
}

function sameLiteral(a: IValue, b: IValue): boolean {
  return a instanceof Double && b instanceof Double ? a.value === b.value : a === b
}

export function parseDevice(text: string): Device {
  const [type = 'cpu', index] = text.split(':')
  return index === undefined ? new Device(type) : new Device(type, Number(index))
}

function commonType(values: readonly IValue[]): Type {
  const types = values.map((value) =>
    value instanceof Tensor ? ({ kind: 'Tensor' } as const) : typeOfValue(value),
  )
  return (
    types.reduce<Type | undefined>((a, b) => (a === undefined ? b : (unifyTypes(a, b) ?? AnyT)), undefined) ??
    AnyT
  )
}
