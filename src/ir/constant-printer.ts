import { dtypes } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { formatGeneral } from './float-text.ts'
import { Complex, Device, Dict, Double, EnumValue, List, OpaqueValue, ScriptObject, Tuple } from './ivalue.ts'
import { GraphFunction } from './graph-function.ts'
import type { IValue } from './ivalue.ts'
import { tensorElements, type Element } from './tensor-elements.ts'
import { formatTensor } from './tensor-text.ts'
import { printAnnotation } from './type-printer.ts'
import type { SimpleKind, Type } from './types.ts'

/**
 * How the content of tensors is shown: `libtorch` as libtorch does (up to ten elements, rounded), `elided` never
 * (`<Tensor>`), `literal` exactly, `<Tensor float32[2] 0.1 0.2>`, as far as `maxLiteralSize` elements go.
 */
export type TensorStyle = 'libtorch' | 'elided' | 'literal'

const maxDisplaySize = 10
const maxLiteralSize = 1024

/** A float as IR and TorchScript source spell it: `0.10000000000000001`, `1.`, `1e+20` (`IValue::repr`). */
export function printDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e10) return `${Object.is(value, -0) ? '-0' : value}.`
  return formatGeneral(value, 17)
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/**
 * A string in double quotes as libtorch escapes it (`printQuotedString`, c10/util/StringUtil.h). Bytes from 128 on
 * are negative in C++, so that their "octal digits" run from `0` down to `)`: `é` is `\0)+\/.)`.
 */
export function printQuoted(text: string): string {
  let quoted = '"'
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    quoted += escapes[char] ?? (byte >= 0x20 && byte < 0x7f ? char : octal(byte < 128 ? byte : byte - 256))
  }
  return `${quoted}"`
}

function octal(byte: number): string {
  const digits = [Math.trunc(byte / 64), Math.trunc(byte / 8) % 8, byte % 8]
  return `\\${String.fromCharCode(...digits.map((digit) => 48 + digit))}`
}

/** The value of an attribute, `1` in `[value=1]` (`Node::printAttrValue`, torch/csrc/jit/ir/ir.cpp). */
export function printConstant(value: IValue, tensors: TensorStyle = 'libtorch'): string {
  // At the top bools are stored as ints and devices as strings.
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (value instanceof Device) return printQuoted(value.toString())
  return new ConstantPrinter(tensors).print(value)
}

class ConstantPrinter {
  readonly #tensors: TensorStyle

  constructor(tensors: TensorStyle) {
    this.#tensors = tensors
  }

  print(value: IValue): string {
    if (value === null) return 'None'
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    if (typeof value === 'number' || typeof value === 'bigint') return String(value)
    if (typeof value === 'string') return printQuoted(value)
    if (value instanceof Double) return printDouble(value.value)
    if (value instanceof Complex) return printComplex(value)
    if (value instanceof Tensor) return this.#tensor(value)
    if (value instanceof List) return this.#list(value)
    if (value instanceof Tuple) return this.#tuple(value)
    if (value instanceof Dict) return this.#dict(value)
    if (value instanceof EnumValue) return `${value.type.name}.${value.name}`
    if (value instanceof Device) return `torch.device(${printQuoted(value.toString())})`
    if (value instanceof OpaqueValue) return printOpaque(value)
    if (value instanceof ScriptObject) return `object(${value.type.name})`
    if (value instanceof GraphFunction) return printQuoted(value.name)
    return `object(Future)`
  }

  #list({ elements, elementType }: List): string {
    if (elementType.kind === 'Tensor' && this.#tensors !== 'literal') return '[<Tensors>]'
    const text = `[${elements.map((element) => this.print(element)).join(', ')}]`
    return elements.length > 0 && isInferable(elementType)
      ? text
      : `annotate(List[${printAnnotation(elementType)}], ${text})`
  }

  #tuple({ elements }: Tuple): string {
    const text = elements.map((element) => this.print(element)).join(', ')
    return `(${text}${elements.length === 1 ? ',' : ''})`
  }

  #dict(dict: Dict): string {
    const entries = Array.from(dict.entries(), ([key, value]) => `${this.print(key)}: ${this.print(value)}`)
    const text = `{${entries.join(', ')}}`
    if (entries.length > 0 && isInferable(dict.valueType)) return text
    return `annotate(Dict[${printAnnotation(dict.keyType)}, ${printAnnotation(dict.valueType)}],${text})`
  }

  #tensor(tensor: Tensor): string {
    if (tensor.quantizer !== undefined || dtypes[tensor.dtype].category === 'quantized') return '<Tensor>'
    if (tensor.layout !== undefined && (this.#tensors !== 'literal' || tensor.layout.kind === 'opaque'))
      return '<Tensor>'
    if (this.#tensors === 'literal' && tensor.numel <= maxLiteralSize) return printLiteralTensor(tensor)
    if (this.#tensors !== 'libtorch' || tensor.numel > maxDisplaySize) return '<Tensor>'
    if (tensor.numel !== 1) return formatTensor(tensor).replaceAll('\n', ' ')
    const [element = 0] = tensorElements(tensor)
    return `{${printScalar(element, dtypes[tensor.dtype].category === 'floating')}}`
  }
}

function printScalar(element: Element, isFloating: boolean): string {
  if (element instanceof Complex)
    return `(${formatGeneral(element.real, 6)},${formatGeneral(element.imag, 6)})`
  return isFloating ? formatGeneral(Number(element), 6) : String(element)
}

function printLiteralTensor(tensor: Tensor): string {
  const elements = Array.from(tensorElements(tensor), printExact)
  return `<Tensor ${[`${tensor.dtype}[${tensor.sizes.join(', ')}]`, ...elements].join(' ')}>`
}

function printExact(element: Element): string {
  if (element instanceof Complex) return `${printExact(element.real)} ${printExact(element.imag)}`
  if (typeof element === 'bigint' || Number.isFinite(element))
    return Object.is(element, -0) ? '-0' : String(element)
  return formatGeneral(element, 17)
}

function printComplex({ real, imag }: Complex): string {
  return `${printDouble(real)}${imag >= 0 ? '+' : '-'}${printDouble(Math.abs(imag))}j`
}

/** What the text of a graph says of a value that it does not show: see graph-parser.ts. */
function printOpaque({ className }: OpaqueValue): string {
  if (className === 'Tensor') return '<Tensor>'
  return className === 'Tensor[]' ? '[<Tensors>]' : `object(${className})`
}

const uninferable = new Set<SimpleKind | Type['kind']>(['Union', 'Optional', 'Number', 'Interface', 'Any'])

/** Whether a list's elements alone tell its type (`elementTypeCanBeInferredFromMembers`). */
function isInferable(elementType: Type): boolean {
  return !uninferable.has(elementType.kind)
}
