import { convertLayout } from '../tensor/convert-layout.ts'
import { dtypeFromIrName, dtypes, itemSize, type DType } from '../tensor/dtype.ts'
import type { BlockedLayout } from '../tensor/layout.ts'
import { Storage } from '../tensor/storage.ts'
import { contiguousStrides, numelOf, Tensor } from '../tensor/tensor.ts'
import { Complex, Device, Dict, Double, EnumValue, List, OpaqueValue, Tuple, type IValue } from './ivalue.ts'
import { complexLiteral, complexOf, numberLiteral, parseQuoted, toNumber } from './literal-text.ts'
import { elementsOfWords, extentOf, tensorOfElements, type Element } from './tensor-elements.ts'
import { parseDisplayedTensor } from './tensor-text-parser.ts'
import type { TextCursor } from './text-cursor.ts'
import { typeOfValue } from './type-of-value.ts'
import { parseType, type NamedTypes } from './type-parser.ts'
import { typesEqual, unshaped } from './type-relations.ts'
import { AnyT, TensorT, type TensorType, type Type } from './types.ts'

export interface ConstantSources {
  readonly named: NamedTypes
  /** The content of a `<Tensor>`. */
  readonly tensor: (type: TensorType) => Tensor | undefined
}

/** Literals may not be nested deeper, so that no text exhausts the stack. */
const maxDepth = 100
/** Larger tensors are refused; the memory of a placeholder is taken only when it is looked at. */
const maxBytes = 2 ** 32

const displayedTensor = /[^\n[]*\[ CPU\w+Type\{[\d,]*\} \]/y

/**
 * Reads the value of an attribute as `printConstant` writes it. The type that is expected decides where the text does
 * not: `1` is a bool, an int or a float; without one, what the text looks like.
 *
 * @throws IrSyntaxError
 */
export function parseConstant(cursor: TextCursor, sources: ConstantSources, expected?: Type): IValue {
  return new ConstantParser(cursor, sources).value(expected)
}

class ConstantParser {
  readonly #cursor: TextCursor
  readonly #sources: ConstantSources
  #depth = 0

  constructor(cursor: TextCursor, sources: ConstantSources) {
    this.#cursor = cursor
    this.#sources = sources
  }

  value(expected?: Type): IValue {
    if (++this.#depth > maxDepth) this.#cursor.fail(`constants are nested more than ${maxDepth} deep`)
    const value = this.#value(expected?.kind === 'Optional' ? expected.element : expected)
    this.#depth--
    return value
  }

  #value(expected: Type | undefined): IValue {
    const cursor = this.#cursor
    if (cursor.sees('<')) return this.#placeholder(expected)
    if (expected?.kind === 'Tensor') {
      const tensor = this.#tensor(expected)
      if (tensor !== undefined) return tensor
    }
    if (cursor.sees('"') || cursor.sees("'")) return this.#text(expected)
    if (cursor.take('[<Tensors>]')) return new OpaqueValue('Tensor[]', null)
    if (cursor.take('[')) return this.#list(expected)
    if (cursor.take('(')) return this.#tuple(expected)
    if (cursor.sees('{')) return this.#braced(expected)
    return this.#number(expected) ?? this.#word(expected)
  }

  #text(expected: Type | undefined): IValue {
    const text = parseQuoted(this.#cursor)
    return expected?.kind === 'Device' ? deviceOf(text) : text
  }

  #number(expected: Type | undefined): IValue | undefined {
    const complex = this.#cursor.match(complexLiteral)
    if (complex !== undefined) return complexOf(complex)
    const start = this.#cursor.position
    const text = this.#cursor.match(numberLiteral)
    if (text === undefined) return undefined
    if (/[.eEna]/.test(text) || expected?.kind === 'Float') return new Double(toNumber(text))
    if (expected?.kind === 'Bool' && (text === '0' || text === '1')) return text === '1'
    const value = BigInt(text)
    if (value !== BigInt.asIntN(64, value)) {
      this.#cursor.position = start
      this.#cursor.fail(`${text} is no 64-bit integer`)
    }
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }

  #list(expected: Type | undefined): IValue {
    const elementType = expected?.kind === 'List' ? expected.element : undefined
    const elements = this.#cursor.list(']', () => this.value(elementType))
    return new List(elements, elementType ?? commonType(elements))
  }

  #tuple(expected: Type | undefined): IValue {
    const type = expected?.kind === 'Tuple' ? expected : undefined
    let i = 0
    const elements = this.#cursor.list(')', () => this.value(type?.elements[i++]))
    return type?.fields === undefined ? new Tuple(elements) : new Tuple(elements, type)
  }

  /** A dictionary, or a tensor of one element. */
  #braced(expected: Type | undefined): IValue {
    const cursor = this.#cursor
    if (expected?.kind !== 'Dict' && cursor.looksLike(/\{[^:{}"'\n]+\}/y)) return this.#scalarTensor(TensorT)
    cursor.expect('{')
    const types = expected?.kind === 'Dict' ? expected : undefined
    const entries = cursor.list('}', () => {
      const key = this.value(types?.key)
      cursor.expect(':')
      return [key, this.value(types?.value)] as const
    })
    const dict = new Dict(
      types?.key ?? commonType(entries.map(([key]) => key)),
      types?.value ?? commonType(entries.map(([, value]) => value)),
    )
    for (const [key, value] of entries) dict.set(key, value)
    return dict
  }

  #word(expected: Type | undefined): IValue {
    const cursor = this.#cursor
    const start = cursor.position
    const word = cursor.match(/[A-Za-z_][\w.]*/y)
    switch (word) {
      case 'None':
        return null
      case 'True':
      case 'False':
        return word === 'True'
      case 'annotate':
        return this.#annotated()
      case 'torch.device':
        return this.#arguments(() => deviceOf(parseQuoted(cursor)))
      case 'object':
        return this.#arguments(() => new OpaqueValue(cursor.identifier('a class'), null))
    }
    if (word?.includes('.') === true) return this.#enumMember(word, expected)
    cursor.position = start
    return cursor.fail(`expected a value but found '${cursor.peekText()}'`)
  }

  #arguments<T>(parse: () => T): T {
    this.#cursor.expect('(')
    const result = parse()
    return (this.#cursor.expect(')'), result)
  }

  #annotated(): IValue {
    return this.#arguments(() => {
      const type = parseType(this.#cursor, this.#sources.named)
      this.#cursor.expect(',')
      return this.value(type)
    })
  }

  #enumMember(word: string, expected: Type | undefined): IValue {
    const dot = word.lastIndexOf('.')
    const typeName = word.slice(0, dot)
    const name = word.slice(dot + 1)
    const known = expected?.kind === 'Enum' ? expected : this.#sources.named(typeName)
    const type =
      known?.kind === 'Enum'
        ? known
        : ({ kind: 'Enum', name: typeName, valueType: AnyT, members: [] } as const)
    const member = type.members.find(([memberName]) => memberName === name)
    return new EnumValue(type, name, member?.[1] ?? null)
  }

  /** `<Tensor>`, whose content the text does not tell, or `<Tensor float32[2] 0.1 0.2>`, which is exact. */
  #placeholder(expected: Type | undefined): IValue {
    const cursor = this.#cursor
    cursor.expect('<')
    cursor.expect('Tensor')
    if (cursor.take('>')) return this.#unknownTensor(expected?.kind === 'Tensor' ? expected : TensorT)
    const dtype = cursor.identifier('an element type')
    if (!isDType(dtype)) return cursor.fail(`unknown element type ${dtype}`)
    cursor.expect('[')
    const sizes = cursor.list(']', () => this.#size())
    const words = cursor.match(/[^<>]*/y)?.split(/\s+/) ?? []
    cursor.expect('>')
    const elements = elementsOfWords(
      words.filter((word) => word !== ''),
      dtype,
    )
    if (elements?.length !== numelOf(sizes))
      return cursor.fail(`expected ${numelOf(sizes)} elements for sizes [${sizes.join(', ')}]`)
    return this.#filled(dtype, sizes, elements, expected?.kind === 'Tensor' ? expected : TensorT)
  }

  #size(): number {
    return Number(
      this.#cursor.match(/\d{1,15}/y) ??
        this.#cursor.fail(`expected a size but found '${this.#cursor.peekText()}'`),
    )
  }

  #unknownTensor(type: TensorType): IValue {
    const given = this.#sources.tensor(type)
    if (given !== undefined) return given
    const { dtype, sizes } = type
    if (dtype === undefined || sizes === undefined || sizes.includes(null))
      return new OpaqueValue('Tensor', null)
    const known = sizes.map(Number)
    if (type.layout?.kind === 'blocked') return this.#packedZeros(dtype, known, type.layout)
    const strides = knownStrides(type, known) ?? contiguousStrides(known)
    const bytes = this.#checkedExtent(dtype, known, strides)
    const storage = new Storage(() => new Uint8Array(bytes), bytes)
    return new Tensor(storage, dtype, known, { strides, requiresGrad: type.requiresGrad === true })
  }

  #packedZeros(dtype: DType, sizes: readonly number[], layout: BlockedLayout): Tensor {
    const bytes = this.#checkedBytes(layout.storageLength(sizes) * itemSize(dtype))
    return new Tensor(new Storage(() => new Uint8Array(bytes), bytes), dtype, sizes, { layout })
  }

  #checkedExtent(dtype: DType, sizes: readonly number[], strides: readonly number[]): number {
    return this.#checkedBytes(extentOf(dtype, sizes, strides))
  }

  #checkedBytes(bytes: number): number {
    if (bytes <= maxBytes) return bytes
    return this.#cursor.fail(`a tensor of ${bytes} bytes is too large`, `at most ${maxBytes} can be read`)
  }

  #filled(dtype: DType, sizes: readonly number[], elements: readonly Element[], type: TensorType): Tensor {
    const strides = knownStrides(type, sizes)
    if (strides !== undefined) this.#checkedExtent(dtype, sizes, strides)
    const tensor = tensorOfElements(dtype, sizes, elements, strides)
    const { layout } = type
    return layout?.kind === 'blocked' && layout.rank === sizes.length ? convertLayout(tensor, layout) : tensor
  }

  #tensor(type: TensorType): Tensor | undefined {
    if (this.#cursor.sees('{')) return this.#scalarTensor(type)
    const start = this.#cursor.position
    const text = this.#cursor.match(displayedTensor)
    if (text === undefined) return undefined
    const shown = parseDisplayedTensor(text)
    const dtype = shown && dtypeFromIrName(shown.irName)
    if (shown === undefined || dtype === undefined) {
      this.#cursor.position = start
      return this.#cursor.fail('the elements of the tensor do not fit its sizes')
    }
    return this.#filled(dtype, shown.sizes, shown.elements, type)
  }

  /** `{1.5}`, `{(1,2)}` */
  #scalarTensor(type: TensorType): Tensor {
    const cursor = this.#cursor
    cursor.expect('{')
    const element = this.#element()
    cursor.expect('}')
    const sizes = type.sizes?.map((size) => size ?? 1) ?? []
    if (numelOf(sizes) !== 1) cursor.fail(`one element does not fill a tensor of sizes [${sizes.join(', ')}]`)
    const dtype = type.dtype ?? guessedDType(element.text)
    return this.#filled(dtype, sizes, [element.value], type)
  }

  #element(): { readonly text: string; readonly value: Element } {
    const cursor = this.#cursor
    const next = (): string => cursor.match(numberLiteral) ?? cursor.fail('expected a number')
    if (!cursor.take('(')) {
      const text = next()
      return { text, value: /^[-+]?\d+$/.test(text) ? BigInt.asIntN(64, BigInt(text)) : toNumber(text) }
    }
    const real = toNumber(next())
    cursor.expect(',')
    const imag = toNumber(next())
    cursor.expect(')')
    return { text: 'j', value: new Complex(real, imag) }
  }
}

function knownStrides({ strides }: TensorType, sizes: readonly number[]): readonly number[] | undefined {
  if (strides?.length !== sizes.length) return undefined
  const known = strides.filter((stride) => stride !== null)
  return known.length === sizes.length ? known : undefined
}

function isDType(name: string): name is DType {
  return Object.hasOwn(dtypes, name)
}

function guessedDType(text: string): DType {
  if (text === 'j') return 'complex64'
  return /^[-+]?\d+$/.test(text) ? 'int64' : 'float32'
}

function deviceOf(text: string): Device {
  const [type = '', index] = text.split(':')
  return index === undefined ? new Device(type) : new Device(type, Number(index))
}

/** The type that all values share; Any when there is none. */
function commonType(values: readonly IValue[]): Type {
  const [first, ...rest] = values.map((value) => unshaped(typeOfValue(value)))
  return first !== undefined && rest.every((type) => typesEqual(type, first)) ? first : AnyT
}
