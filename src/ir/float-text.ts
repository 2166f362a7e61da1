/** C's `%.{digits}g`: fixed or scientific by the size of the number, without trailing zeros. */
export function formatGeneral(value: number, digits: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  const rounded = roundToDigits(value, digits)
  const { exponent } = rounded
  if (exponent >= -4 && exponent < digits) return withoutZeros(formatFixed(value, digits - 1 - exponent))
  return signOf(value) + withoutZeros(mantissaText(rounded, digits)) + exponentText(exponent)
}

/** C's `%.{decimals}f`. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  const count = exactDigits(value).exponent + 1 + decimals
  const digits = count < 0 ? '' : roundToDigits(value, count).digits
  const text = digits.padStart(decimals + 1, '0')
  const point = text.length - decimals
  return signOf(value) + text.slice(0, point) + (decimals === 0 ? '' : `.${text.slice(point)}`)
}

/** C's `%.{decimals}e`. */
export function formatScientific(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  const rounded = roundToDigits(value, decimals + 1)
  return signOf(value) + mantissaText(rounded, decimals + 1) + exponentText(rounded.exponent)
}

/** `d.ddd × 10^exponent`, the digits without the dot. */
interface Decimal {
  readonly digits: string
  readonly exponent: number
}

function exactDigits(value: number): Decimal {
  const size = Math.abs(value)
  if (size > Number.MAX_SAFE_INTEGER) {
    const digits = BigInt(size).toString()
    return { digits, exponent: digits.length - 1 }
  }
  const [mantissa = '', exponent = '0'] = size.toExponential(100).split('e')
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) }
}

/** Ties go to the even digit as in C; JavaScript's own `toPrecision` and `toFixed` round them up. */
function roundToDigits(value: number, count: number): Decimal {
  const { digits, exponent } = exactDigits(value)
  const kept = digits.slice(0, count)
  const rest = digits.slice(count)
  const isTie = /^50*$/.test(rest)
  const isUp = isTie ? Number(kept.at(-1) ?? 0) % 2 === 1 : (rest[0] ?? '0') >= '5'
  if (!isUp) return { digits: kept.padEnd(count, '0'), exponent }
  const next = (BigInt(`0${kept}`) + 1n).toString()
  // 9.99 became 10.0: one digit more
  return { digits: next, exponent: next.length > count ? exponent + 1 : exponent }
}

/** A digit gained by a carry is a zero at the end, and one too many. */
function mantissaText({ digits }: Decimal, count: number): string {
  const fraction = digits.slice(1, count)
  return `${digits[0] ?? ''}${fraction === '' ? '' : '.'}${fraction}`
}

function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : ''
}

function specialText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return value > 0 ? 'inf' : '-inf'
}
