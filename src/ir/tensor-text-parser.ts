import { numelOf } from '../tensor/tensor.ts'

/** What `formatTensor` printed, read back: the numbers as shown, in row-major order. */
export interface DisplayedTensor {
  /** `Float` of `CPUFloatType` */
  readonly irName: string
  readonly sizes: readonly number[]
  readonly elements: readonly number[]
}

const footer = /\[ CPU(\w+)Type\{([\d,]*)\} \]$/

/** Undefined if the text, which ends with `[ CPUFloatType{2,2} ]`, does not hold what its sizes ask for. */
export function parseDisplayedTensor(text: string): DisplayedTensor | undefined {
  const match = footer.exec(text)
  if (match === null) return undefined
  const [, irName = '', sizesText = ''] = match
  const sizes = sizesText === '' ? [] : sizesText.split(',').map(Number)
  const elements = readBody(text.slice(0, match.index), sizes)
  return elements?.length === numelOf(sizes) ? { irName, sizes, elements } : undefined
}

function readBody(body: string, sizes: readonly number[]): readonly number[] | undefined {
  if (sizes.length < 2) return readNumbers(body)
  const [rows = 0, columns = 0] = sizes.slice(-2)
  if (sizes.length === 2) return readMatrix(body, rows, columns)
  return readSlices(body, sizes.slice(0, -2), rows, columns)
}

/** `(1,2,.,.) = …` for each index of the outer dimensions, in any order. */
function readSlices(
  body: string,
  outer: readonly number[],
  rows: number,
  columns: number,
): number[] | undefined {
  const parts = body.split(/\(((?:\d+,)+)\.,\.\) = /)
  const slices: (readonly number[] | undefined)[] = []
  for (let i = 1; i < parts.length; i += 2) {
    const index = (parts[i] ?? '').slice(0, -1).split(',').map(Number)
    if (index.length !== outer.length || index.some((at, d) => at < 1 || at > (outer[d] ?? 0)))
      return undefined
    const place = index.reduce((offset, at, d) => offset * (outer[d] ?? 1) + at - 1, 0)
    slices[place] = readMatrix(parts[i + 1] ?? '', rows, columns)
  }
  return slices.some((slice) => slice === undefined) ? undefined : slices.flatMap((slice) => slice ?? [])
}

/** A wide matrix is printed in bundles of columns, each under `Columns 1 to 7`. */
function readMatrix(body: string, rows: number, columns: number): readonly number[] | undefined {
  const bundles = body.split(/Columns (\d+) to (\d+)/)
  if (bundles.length === 1) return readNumbers(body)
  const elements: number[] = []
  for (let i = 1; i < bundles.length; i += 3) {
    const first = Number(bundles[i]) - 1
    const width = Number(bundles[i + 1]) - first
    const numbers = readNumbers(bundles[i + 2] ?? '')
    if (numbers.length !== rows * width || first + width > columns) return undefined
    numbers.forEach((number, n) => {
      elements[Math.floor(n / width) * columns + first + (n % width)] = number
    })
  }
  return elements
}

function readNumbers(text: string): readonly number[] {
  const prefix = /^\s*([\d.]+(?:e[-+]\d+)?) \*/.exec(text)
  const scale = Number(prefix?.[1] ?? 1)
  const words = text
    .slice(prefix?.[0].length)
    .split(/\s+/)
    .filter((word) => word !== '')
  return words.map((word) => readNumber(word) * scale)
}

const specials: Readonly<Partial<Record<string, number>>> = { inf: Infinity, '-inf': -Infinity, '-nan': NaN }

function readNumber(word: string): number {
  return specials[word] ?? Number(word)
}
