import { itemSize } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Complex, Device, Dict, Double, EnumValue, List, ScriptObject, Tuple, type IValue } from './ivalue.ts'
import { Tensor as TensorClass } from '../tensor/tensor.ts'
import { printAnnotation } from './type-printer.ts'

/** The C++ default format with 17 significant digits, and a dot behind whole numbers: `0.10000000000000001`, `1.` */
export function printDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Number.isInteger(value) && Math.abs(value) < 1e10) return `${Object.is(value, -0) ? '-0' : value}.`
  return formatGeneral(value, 17)
}

/** `%.<digits>g` of C. */
export function formatGeneral(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponentText = '0'] = value.toExponential(digits - 1).split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? '-' : '+'
    return `${trimZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return trimZeros(value.toFixed(Math.max(digits - 1 - exponent, 0)))
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** A string as C++ source would have it (`printQuotedString`, torch/csrc/jit/ir/…). */
export function printQuoted(text: string): string {
  let quoted = '"'
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    const simple = escapes[char]
    if (simple !== undefined) quoted += simple
    else if (byte < 0x20 || byte > 0x7e) quoted += `\\${byte.toString(8).padStart(3, '0')}`
    else quoted += char
  }
  return `${quoted}"`
}

const escapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\v': '\\v',
  '\f': '\\f',
  '\b': '\\b',
  '\x07': '\\a',
  '"': '\\"',
  '\\': '\\\\',
}

/** A constant as `prim::Constant[value=…]` shows it; large tensors are not shown: `<Tensor>`. */
export function printConstantValue(value: IValue): string {
  // A bool is stored as an int.
  return typeof value === 'boolean' ? (value ? '1' : '0') : printNested(value)
}

function printNested(value: IValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return printQuoted(value)
  if (value instanceof Double) return printDouble(value.value)
  if (value instanceof Complex)
    return `${printDouble(value.real)}${value.imag < 0 ? '' : '+'}${printDouble(value.imag)}j`
  if (value instanceof Device) return printQuoted(value.toString())
  if (value instanceof TensorClass) return printTensor(value)
  if (value instanceof List) return printList(value)
  if (value instanceof Tuple)
    return `(${value.elements.map(printNested).join(', ')}${value.elements.length === 1 ? ',' : ''})`
  if (value instanceof Dict) return printDict(value)
  if (value instanceof EnumValue) return `${value.type.name}.${value.name}`
  return value instanceof ScriptObject ? `<${value.type.name} object>` : '<Object>'
}

function printList(list: List): string {
  if (list.elements.length > 0) return `[${list.elements.map(printNested).join(', ')}]`
  const { kind } = list.elementType
  const isPlain = kind === 'Tensor' || kind === 'Int' || kind === 'Float' || kind === 'Bool'
  return isPlain ? '[]' : `annotate(List[${printAnnotation(list.elementType)}], [])`
}

function printDict(dict: Dict): string {
  const entries = [...dict.entries()].map(([key, value]) => `${printNested(key)}: ${printNested(value)}`)
  return `{${entries.join(', ')}}`
}

/** One element in braces; up to ten as libtorch streams a vector; else a placeholder. */
function printTensor(tensor: Tensor): string {
  const isReadable = itemSize(tensor.dtype) > 0 && !/^(?:complex|q|b?float16)/.test(tensor.dtype)
  if (!isReadable || tensor.numel !== 1) return '<Tensor>'
  const element = tensor.data[tensor.storageOffset] ?? 0
  return `{${typeof element === 'bigint' ? element : formatGeneral(Number(element), 6)}}`
}
