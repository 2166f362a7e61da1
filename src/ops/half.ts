const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The value of IEEE binary16 bits. */
export function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const mantissa = half & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

/** IEEE binary16 bits of a number, rounded through float32 to the nearest, ties to even. */
export function numberToFloat16(value: number): number {
  float[0] = value
  const word = bits[0]!
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000)
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  return sign | roundToEven(Math.abs(float[0]) * 2 ** 24)
}

/** The value of bfloat16 bits: the upper half of a float32. */
export function bfloat16ToNumber(half: number): number {
  bits[0] = half << 16
  return float[0]!
}

/** bfloat16 bits of a number, rounded through float32 to the nearest, ties to even. */
export function numberToBfloat16(value: number): number {
  float[0] = value
  const word = bits[0]!
  if ((word & 0x7fffffff) > 0x7f800000) return 0x7fc0
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff
}

/** The nearest integer; halves go to the even one, as IEEE 754 and libtorch's `round` do. */
export function roundToEven(value: number): number {
  if (Math.abs(value) >= 2 ** 52) return value
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest === 0.5) return floor % 2 === 0 ? floor || 0 * value : floor + 1 || 0 * value
  const rounded = rest < 0.5 ? floor : floor + 1
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded
}
