import { List, Tuple, Dict, Double, EnumValue, Device, type IValue } from '../ir/ivalue.ts'
import { printAnnotation } from '../ir/type-printer.ts'

/** Bytes outside printable ASCII are written in octal, as libtorch does, so that any version reads them. */
export function quoteString(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let quoted = '"'
  for (const byte of bytes) {
    const char = String.fromCharCode(byte)
    if (char === '"' || char === '\\') quoted += `\\${char}`
    else if (char === '\n') quoted += '\\n'
    else if (byte < 0x20 || byte > 0x7e) quoted += `\\${byte.toString(8).padStart(3, '0')}`
    else quoted += char
  }
  return `${quoted}"`
}

/** A float so that it reads back as the same float and never as an int: `1.`, `0.10000000000000001`, `-inf`. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.`
}

/**
 * A constant as source text.
 *
 * @param table names content that has no literal, tensors and objects: `CONSTANTS.c3`
 */
export function printLiteral(value: IValue, table: (value: IValue) => string): string {
  const recurse = (item: IValue): string => printLiteral(item, table)
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quoteString(value)
  if (value instanceof Double) return printFloat(value.value)
  if (value instanceof Device) return `torch.device(${quoteString(value.toString())})`
  if (value instanceof EnumValue) return `${value.type.name}.${value.name}`
  if (value instanceof Tuple) return printTuple(value.elements.map(recurse), value.type?.name)
  if (value instanceof List)
    return `annotate(List[${printAnnotation(value.elementType)}], [${value.elements.map(recurse).join(', ')}])`
  if (value instanceof Dict) return printDict(value, recurse)
  return table(value)
}

/** `(a, b)`, `(a,)`, `Name(a, b)`. */
export function printTuple(elements: readonly string[], name: string | undefined): string {
  if (name !== undefined) return `${name}(${elements.join(', ')})`
  return elements.length === 1 ? `(${elements.join()},)` : `(${elements.join(', ')})`
}

function printDict(dict: Dict, recurse: (item: IValue) => string): string {
  const entries = [...dict.entries()].map(([key, value]) => `${recurse(key)}: ${recurse(value)}`)
  const type = printAnnotation({ kind: 'Dict', key: dict.keyType, value: dict.valueType })
  return `annotate(${type}, {${entries.join(', ')}})`
}
