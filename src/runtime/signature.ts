import { Complex, Device, Dict, Double, EnumValue, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * All that a plan depends on: dtypes and sizes of tensors, the content of everything else. Objects are told by their class:
 * what they hold is read at run time.
 */
export function signatureOf(value: IValue): string {
  if (value instanceof Tensor) return `${value.dtype}[${value.sizes.join('x')}]`
  if (value instanceof List) return `[${value.elements.map(signatureOf).join(', ')}]`
  if (value instanceof Tuple) return `(${value.elements.map(signatureOf).join(', ')})`
  if (value instanceof Dict)
    return `{${[...value.entries()].map(([key, item]) => `${signatureOf(key)}: ${signatureOf(item)}`).join(', ')}}`
  if (value instanceof Double) return `${text(value.value)}f`
  if (value instanceof Complex) return `${text(value.real)}+${text(value.imag)}j`
  if (value instanceof Device) return value.toString()
  if (value instanceof EnumValue) return `${value.type.name}.${value.name}`
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' && value !== null ? value.constructor.name : String(value)
}

function text(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number)
}
