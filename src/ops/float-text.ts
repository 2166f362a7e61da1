/** C's `%.{digits}g`: the shorter of fixed and scientific notation, without trailing zeros. */
export function formatGeneral(value: number, digits: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  const [mantissa = '', power = '0'] = value.toExponential(digits - 1).split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= digits) return `${withoutZeros(mantissa)}e${exponentText(exponent)}`
  const text = withoutZeros(value.toFixed(Math.max(0, digits - 1 - exponent)))
  return signOfZero(value) + text
}

/** C's `%.{digits}f`. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  return signOfZero(value) + (Math.abs(value) < 1e21 ? value.toFixed(digits) : wideFixed(value, digits))
}

/** C's `%.{digits}e`. */
export function formatScientific(value: number, digits: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  const [mantissa = '', power = '0'] = value.toExponential(digits).split('e')
  return `${signOfZero(value)}${mantissa}e${exponentText(Number(power))}`
}

function specialText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return value > 0 ? 'inf' : '-inf'
}

/** JavaScript drops the sign of a negative zero. */
function signOfZero(value: number): string {
  return Object.is(value, -0) ? '-' : ''
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** `toFixed` turns to scientific notation here; such doubles are integers. */
function wideFixed(value: number, digits: number): string {
  return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
}
