/** The nearest integer; halves go to the even one, as IEEE 754 and libtorch's `round` do. */
export function roundToEven(value: number): number {
  if (Math.abs(value) >= 2 ** 52) return value
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest === 0.5) return floor % 2 === 0 ? floor || 0 * value : floor + 1 || 0 * value
  const rounded = rest < 0.5 ? floor : floor + 1
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded
}
