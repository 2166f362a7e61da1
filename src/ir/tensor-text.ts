import { dtypes } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { formatFixed, formatGeneral, formatScientific } from './float-text.ts'
import { Complex } from './ivalue.ts'
import { tensorElements } from './tensor-elements.ts'

/** How all numbers of one matrix are written, so that their columns stand below one another. */
interface NumberFormat {
  readonly width: number
  readonly scale: number
  readonly text: (value: number) => string
}

const general = (value: number): string => formatGeneral(value, 6)
const shortGeneral = (value: number): string => formatGeneral(value, 4)
const fixed = (value: number): string => formatFixed(value, 4)
const scientific = (value: number): string => formatScientific(value, 4)

const lineWidth = 80

/**
 * A tensor as libtorch streams it (`at::print`, aten/src/ATen/core/Formatting.cpp), e.g.
 * `' 1  2\n 3  4\n[ CPUFloatType{2,2} ]'`. Of complex numbers only the real part shows, as there.
 */
export function formatTensor(tensor: Tensor): string {
  const values = Array.from(tensorElements(tensor), realPart)
  const footer = `[ CPU${dtypes[tensor.dtype].irName}Type{${tensor.sizes.join(',')}} ]`
  return (values.length === 0 ? '' : body(values, tensor.sizes)) + footer
}

function realPart(element: number | bigint | Complex): number {
  return element instanceof Complex ? element.real : Number(element)
}

function body(values: readonly number[], sizes: readonly number[]): string {
  if (sizes.length === 0) return `${general(values[0] ?? 0)}\n`
  if (sizes.length === 1) return formatVector(values)
  const [rows = 1, columns = 1] = sizes.slice(-2)
  if (sizes.length === 2) return formatMatrix(values, columns, 0, formatFor(values))
  return formatSlices(values, sizes.slice(0, -2), rows * columns, columns)
}

function formatVector(values: readonly number[]): string {
  const format = formatFor(values)
  return scaleLine(format) + values.map((value) => `${cell(value, format)}\n`).join('')
}

/** The matrices of the last two dimensions, each below its index; the first dimension runs fastest. */
function formatSlices(
  values: readonly number[],
  outer: readonly number[],
  size: number,
  columns: number,
): string {
  const parts: string[] = []
  // The precision that one matrix sets on the stream stays for whole numbers of the matrices behind it.
  let whole = general
  for (let n = 0; n < values.length / size; n++) {
    let rest = n
    const index = outer.map((length) => {
      const i = rest % length
      rest = (rest - i) / length
      return i
    })
    const start = size * index.reduce((offset, i, d) => offset * (outer[d] ?? 1) + i, 0)
    const title = `(${index.map((i) => `${i + 1},`).join('')}.,.) = \n`
    const part = values.slice(start, start + size)
    const format = formatFor(part, whole)
    if (format.text !== whole) whole = shortGeneral
    parts.push(title + formatMatrix(part, columns, 1, format))
  }
  return parts.join('\n')
}

function formatMatrix(
  values: readonly number[],
  columns: number,
  indentation: number,
  format: NumberFormat,
): string {
  const indent = ' '.repeat(indentation)
  const rowIndent = format.scale === 1 ? indent : `${indent} `
  const perLine = Math.floor((lineWidth - indentation) / (format.width + 1))
  let text = indent
  for (let first = 0; first < columns; first += perLine) {
    const end = Math.min(columns, first + perLine)
    if (perLine < columns) text += `${first > 0 ? '\n' : ''}Columns ${first + 1} to ${end}${indent}`
    if (format.scale !== 1) text += scaleLine(format) + indent
    const rows: string[] = []
    for (let row = 0; row < values.length; row += columns)
      rows.push(
        values
          .slice(row + first, row + end)
          .map((value) => cell(value, format))
          .join(' '),
      )
    text += `${rows.join(`\n${rowIndent}`)}\n`
  }
  return text
}

function cell(value: number, { scale, text, width }: NumberFormat): string {
  return text(value / scale).padStart(width)
}

function scaleLine({ scale }: NumberFormat): string {
  return scale === 1 ? '' : `${shortGeneral(scale)} *\n`
}

function formatFor(values: readonly number[], whole = general): NumberFormat {
  const [smallest, largest] = magnitudes(values.filter(Number.isFinite))
  if (values.every((value) => !Number.isFinite(value) || Number.isInteger(value)))
    return largest > 9
      ? { width: 11, scale: 1, text: scientific }
      : { width: largest + 1, scale: 1, text: whole }
  if (largest - smallest > 4) {
    const isWide = Math.abs(largest) > 99 || Math.abs(smallest) > 99
    return { width: isWide ? 12 : 11, scale: 1, text: scientific }
  }
  if (largest > 5 || largest < 0) return { width: 7, scale: 10 ** (largest - 1), text: fixed }
  return { width: largest === 0 ? 7 : largest + 6, scale: 1, text: fixed }
}

/** Digits in front of the point of the smallest and the largest number. */
function magnitudes([first, ...rest]: readonly number[]): readonly [smallest: number, largest: number] {
  if (first === undefined) return [1, 1]
  let smallest = Math.abs(first)
  let largest = smallest
  for (const value of rest) {
    smallest = Math.min(smallest, Math.abs(value))
    // libtorch compares with the sign, and prints large negative numbers wider than their column.
    if (value > largest) largest = Math.abs(value)
  }
  return [digitsOf(smallest), digitsOf(largest)]
}

function digitsOf(size: number): number {
  return size === 0 ? 1 : Math.floor(Math.log10(size)) + 1
}
