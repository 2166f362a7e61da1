import { Double, Tuple, type IValue } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import { formatFixed, formatScientific } from '../ir/float-text.ts'
import { intFromDouble } from './int64.ts'
import type { Operator } from './operator.ts'
import { rawFamily, rawTable } from './raw-family.ts'
import { describeValue, isInt, toDouble, toText } from './scalar-values.ts'
import { formatValue } from './value-text.ts'

/** Each `{}` takes the next value; other braces stay as they are, and values left over are dropped. */
function format([text, ...values]: readonly IValue[]): string {
  const pieces = toText(text).split('{}')
  if (pieces.length - 1 > values.length)
    throw new OperatorArgumentError(`too few arguments for format string: ${toText(text)}`)
  return pieces.map((piece, i) => (i === 0 ? piece : formatValue(values[i - 1]!) + piece)).join('')
}

type Conversion = (value: IValue, specifier: string) => string

const asInt: Conversion = (value, specifier) => {
  const number = numberFor(value, specifier)
  return String(isInt(number) ? number : intFromDouble(number.value))
}

const asFixed: Conversion = (value, specifier) => formatFixed(toDouble(numberFor(value, specifier)), 6)

const conversions: Readonly<Record<string, Conversion>> = {
  s: (value) => formatValue(value),
  d: asInt,
  i: asInt,
  f: asFixed,
  F: asFixed,
  e: (value, specifier) => formatScientific(toDouble(numberFor(value, specifier)), 6),
  E: (value, specifier) => formatScientific(toDouble(numberFor(value, specifier)), 6).toUpperCase(),
  c: (value) => {
    if (isInt(value)) return String.fromCharCode(Number(value) & 0xff)
    if (typeof value === 'string' && value.length === 1) return value
    throw new OperatorArgumentError(
      `%c requires an int or char for formatting, but got ${describeValue(value)}`,
    )
  },
}

function numberFor(value: IValue, specifier: string): number | bigint | Double {
  if (isInt(value) || value instanceof Double) return value
  throw new OperatorArgumentError(
    `%${specifier} requires a number for formatting, but got ${describeValue(value)}`,
  )
}

/** `'%s of %d' % (a, b)`, with the conversions libtorch has: no widths, no precisions. */
function percentFormat([text, operand = null]: readonly IValue[]): string {
  const values = operand instanceof Tuple ? operand.elements : [operand]
  let used = 0
  const next = (): IValue => {
    const value = values[used++]
    if (value === undefined) throw new OperatorArgumentError('too few arguments for format string')
    return value
  }
  const result = toText(text).replace(/%([^]?)/g, (_, specifier: string) => {
    if (specifier === '%') return '%'
    if (specifier === '') throw new OperatorArgumentError('incomplete format specifier')
    const conversion = conversions[specifier]
    if (conversion === undefined)
      throw new OperatorArgumentError(
        `the specifier %${specifier} is not supported in TorchScript format strings`,
      )
    return conversion(next(), specifier)
  })
  if (used < values.length) throw new OperatorArgumentError('too many arguments for format string')
  return result
}

const making = rawTable({
  'aten::format(str self, ...) -> str': format,
  'aten::percentFormat(str self, ...) -> str': percentFormat,
  'aten::str(t elem) -> str': ([elem]) => formatValue(elem!),
})

const said = { hasSideEffects: true }

const telling = [
  ...rawFamily(
    ['prim::Print(...) -> ()'],
    (values, context) => {
      context.print(`${values.map((value) => formatValue(value)).join(' ')}\n`)
    },
    said,
  ),
  ...rawFamily(
    ['aten::warn(str message, int stacklevel=2) -> ()'],
    ([message], context) => {
      context.warn(toText(message))
    },
    said,
  ),
]

export const stringFormat: readonly Operator[] = [...making, ...telling]
