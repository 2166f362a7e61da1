import { GraphFunction } from '../ir/graph-function.ts'
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
import { OperatorArgumentError } from './errors.ts'
import { formatGeneral } from '../ir/float-text.ts'
import { formatTensor } from '../ir/tensor-text.ts'

const maximumDepth = 200

/**
 * A value as `str(x)`, `format` and `print` show it in TorchScript (`operator<<` of
 * aten/src/ATen/core/ivalue.cpp): `1.` for a whole float, 17 digits for others, strings without quotes.
 *
 * @throws OperatorArgumentError for containers nested beyond reason
 */
export function formatValue(value: IValue, depth = 0): string {
  if (depth > maximumDepth) throw new OperatorArgumentError('a value is nested too deeply to be printed')
  const inner = (item: IValue): string => formatValue(item, depth + 1)
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value !== 'object') return String(value)
  if (value instanceof Double) return formatFloat(value.value)
  if (value instanceof Complex) return formatComplex(value)
  if (value instanceof Tensor) return formatTensor(value)
  if (value instanceof List) return `[${value.elements.map(inner).join(', ')}]`
  if (value instanceof Tuple) return formatTuple(value, inner)
  if (value instanceof Dict) return formatDict(value, inner)
  return formatOpaque(value)
}

function formatOpaque(value: Exclude<IValue, null | boolean | number | bigint | string>): string {
  if (value instanceof EnumValue) return `${value.type.name}.${value.name}`
  if (value instanceof ScriptObject) return `<${value.type.name} object>`
  if (value instanceof OpaqueValue) return `<${value.className} object>`
  if (value instanceof GraphFunction) return `<function ${value.qualifiedName}>`
  return value instanceof Device ? value.toString() : 'Future'
}

/** `2.`, `0.10000000000000001`, `1e+20` */
export function formatFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return `${BigInt(value)}.`
  return formatGeneral(value, 17)
}

function formatComplex({ real, imag }: Complex): string {
  const sign = imag < 0 ? '-' : '+'
  return `${formatFloat(real)}${sign}${formatFloat(Math.abs(imag))}j`
}

function formatTuple({ elements, type }: Tuple, inner: (item: IValue) => string): string {
  const names = type?.fields
  const items = elements.map((item, i) => (names ? `${names[i] ?? ''}=${inner(item)}` : inner(item)))
  const name = names ? (type.name?.split('.').at(-1) ?? '') : ''
  return `${name}(${items.join(', ')}${items.length === 1 && !names ? ',' : ''})`
}

function formatDict(dict: Dict, inner: (item: IValue) => string): string {
  return `{${Array.from(dict.entries(), ([key, value]) => `${inner(key)}: ${inner(value)}`).join(', ')}}`
}
