const floats = new Float32Array(1)
const bits = new Uint32Array(floats.buffer)

/** The number in the 16 bits of an IEEE 754 half. */
export function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The nearest half, ties to even. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | roundTiesToEven(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  // log2 may round up to the next power of two.
  const power = 2 ** exponent > size ? exponent - 1 : exponent
  return sign | (((power + 14) << 10) + roundTiesToEven(size * 2 ** (10 - power)))
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** The number in the 16 bits of a bfloat16: the upper half of a float32. */
export function bfloat16ToNumber(bfloat: number): number {
  bits[0] = bfloat << 16
  return floats[0] ?? 0
}

/** The nearest bfloat16 of the nearest float32, ties to even. */
export function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  floats[0] = value
  const word = bits[0] ?? 0
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
}
