import { Complex, Double, type Scalar } from '../ir/ivalue.ts'
import { dtypes } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { formatFixed, formatGeneral, formatScientific } from './float-text.ts'
import { elementsOf } from './tensor-element.ts'

/** Width and notation that all numbers of one printed matrix share. */
interface NumberFormat {
  readonly width: number
  readonly scale: number
  readonly text: (value: number) => string
}

const general = (value: number): string => formatGeneral(value, 6)
const fixed = (value: number): string => formatFixed(value, 4)
const scientific = (value: number): string => formatScientific(value, 4)

const lineWidth = 80

/**
 * A tensor as `str(t)` and `print` show it in TorchScript: libtorch's C++ form, not Python's
 * (aten/src/ATen/core/Formatting.cpp).
 */
export function formatTensor(tensor: Tensor): string {
  const values = Array.from(elementsOf(tensor), toNumber)
  return `${body(values, tensor.sizes)}[ CPU${dtypes[tensor.dtype].irName}Type{${tensor.sizes.join(',')}} ]`
}

function toNumber(value: Scalar): number {
  if (value instanceof Complex) return value.real
  return value instanceof Double ? value.value : Number(value)
}

function body(values: readonly number[], sizes: readonly number[]): string {
  const [first] = values
  if (first === undefined) return ''
  if (sizes.length === 0) return `${general(first)}\n`
  if (sizes.length === 1) return vector(values)
  const [rows = 1, columns = 1] = sizes.slice(-2)
  return sizes.length === 2
    ? matrix(values, columns, 0)
    : slices(values, sizes.slice(0, -2), rows * columns, columns)
}

function vector(values: readonly number[]): string {
  const format = formatOf(values)
  const lines = values.map((value) => `${cell(value, format)}\n`)
  return scaleLine(format) + lines.join('')
}

function cell(value: number, { scale, text, width }: NumberFormat): string {
  return text(value / scale).padStart(width)
}

function scaleLine({ scale }: NumberFormat): string {
  return scale === 1 ? '' : `${general(scale)} *\n`
}

/** Each matrix of the last two dimensions under its index; the first dimension runs fastest. */
function slices(values: readonly number[], outer: readonly number[], size: number, columns: number): string {
  const count = outer.reduce((product, length) => product * length, 1)
  const parts: string[] = []
  for (let n = 0; n < count; n++) {
    const index = indexOf(n, outer)
    const start = index.reduce((offset, i, d) => offset * (outer[d] ?? 1) + i, 0) * size
    const title = index.map((i) => `${i + 1},`).join('')
    parts.push(`(${title}.,.) = \n${matrix(values.slice(start, start + size), columns, 1)}`)
  }
  return parts.join('\n')
}

function indexOf(n: number, outer: readonly number[]): number[] {
  let rest = n
  return outer.map((length) => {
    const i = rest % length
    rest = Math.floor(rest / length)
    return i
  })
}

function matrix(values: readonly number[], columns: number, indentation: number): string {
  const format = formatOf(values)
  const rows = values.length / columns
  const indent = ' '.repeat(indentation)
  const perLine = Math.max(1, Math.floor((lineWidth - indentation) / (format.width + 1)))
  let text = indent
  for (let first = 0; first < columns; first += perLine) {
    const end = Math.min(columns, first + perLine)
    if (perLine < columns) text += `${first > 0 ? '\n' : ''}Columns ${first + 1} to ${end}${indent}`
    if (format.scale !== 1) text += scaleLine(format) + indent
    const lines = Array.from({ length: rows }, (_, row) =>
      values
        .slice(row * columns + first, row * columns + end)
        .map((value) => cell(value, format))
        .join(' '),
    )
    text += `${lines.join(`\n${format.scale !== 1 ? `${indent} ` : ''}${indent}`)}\n`
  }
  return text
}

function formatOf(values: readonly number[]): NumberFormat {
  const finite = values.filter(Number.isFinite).map(Math.abs)
  const largest = digitsOf(finite.reduce((a, b) => Math.max(a, b), -Infinity))
  const smallest = digitsOf(finite.reduce((a, b) => Math.min(a, b), Infinity))
  const plain = { scale: 1 }
  if (finite.every(Number.isInteger))
    return largest > 9
      ? { ...plain, width: 11, text: scientific }
      : { ...plain, width: largest + 1, text: general }
  if (largest - smallest > 4)
    return { ...plain, width: Math.abs(largest) > 99 || Math.abs(smallest) > 99 ? 12 : 11, text: scientific }
  if (largest > 5 || largest < 0) return { scale: 10 ** (largest - 1), width: 7, text: fixed }
  return { ...plain, width: largest === 0 ? 7 : largest + 6, text: fixed }
}

/** Digits in front of the decimal point; 1 for zero and where nothing is finite. */
function digitsOf(size: number): number {
  return size === 0 || !Number.isFinite(size) ? 1 : Math.floor(Math.log10(size)) + 1
}
