const twoOverRootPi = 2 / Math.sqrt(Math.PI)

/** Error function, to a few units in the last place (Abramowitz and Stegun 7.1.6 and 7.1.14). */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (size < 2.5) return series(x)
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - continuedFraction(size))
}

/** 1 - erf(x), without cancellation for large x. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (Math.abs(x) < 0.5) return 1 - series(x)
  if (x < 0) return 2 - erfc(-x)
  return x < 2 ? 1 - series(x) : continuedFraction(x)
}

/** All terms have one sign, so nothing cancels. */
function series(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return twoOverRootPi * Math.exp(-x * x) * sum
}

/** erfc for x ≥ 2, from the tail of the fraction to its head. */
function continuedFraction(x: number): number {
  if (x > 28) return 0
  let denominator = x
  for (let n = 80; n >= 1; n--) denominator = x + n / 2 / denominator
  return Math.exp(-x * x) / (denominator * Math.sqrt(Math.PI))
}

// Lanczos' approximation with g = 7 and nine terms (Godfrey's coefficients).
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

function lanczosSum(x: number): number {
  return lanczos.reduce((sum, coefficient, i) => sum + (i === 0 ? coefficient : coefficient / (x + i)), 0)
}

/** The gamma function; NaN at negative integers as C's `tgamma`. */
export function gamma(x: number): number {
  if (x === 0) return 1 / x
  if (Number.isInteger(x)) return x < 0 ? NaN : factorialOf(x - 1)
  if (x === -Infinity) return NaN
  if (x > 171.7) return Infinity
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x))
  const t = x + 6.5
  const half = t ** ((x - 0.5) / 2)
  return Math.sqrt(2 * Math.PI) * half * Math.exp(-t) * half * lanczosSum(x - 1)
}

function factorialOf(n: number): number {
  let product = 1
  for (let i = 2; i <= n && product < Infinity; i++) product *= i
  return product
}

/** log |gamma(x)| */
export function logGamma(x: number): number {
  if (!Number.isFinite(x)) return Math.abs(x)
  if (x <= 0 && Number.isInteger(x)) return Infinity
  if (x === 1 || x === 2) return 0
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(lanczosSum(x - 1))
}

/** The derivative of log gamma: recurrence up to 10, then its asymptotic series (Abramowitz and Stegun 6.3.18). */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, 0) ? -Infinity : Infinity
  if (x < 0)
    return Number.isInteger(x) || x === -Infinity
      ? NaN
      : digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1))
  let [shifted, sum] = [x, 0]
  for (; shifted < 10; shifted++) sum -= 1 / shifted
  if (shifted === Infinity) return Infinity
  const square = 1 / (shifted * shifted)
  const series = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
  const tail = series.reduceRight((rest, coefficient) => square * (coefficient + rest), 0)
  return sum + Math.log(shifted) - 0.5 / shifted - tail
}

/** The inverse of `erf`: Winitzki's approximation, made exact by Newton's method. */
export function inverseErf(x: number): number {
  if (!(Math.abs(x) < 1)) return Math.abs(x) === 1 ? x * Infinity : NaN
  if (x === 0) return x
  const logarithm = Math.log1p(-x * x)
  const half = 2 / (Math.PI * 0.147) + logarithm / 2
  let y = Math.sign(x) * Math.sqrt(Math.sqrt(half * half - logarithm / 0.147) - half)
  for (let i = 0; i < 3; i++) y -= (erf(y) - x) / (twoOverRootPi * Math.exp(-y * y))
  return y
}

/** The modified Bessel function of order 0, by its series, whose terms are all positive. */
export function besselI0(x: number): number {
  const quarter = (x * x) / 4
  if (quarter === Infinity) return Infinity
  let [term, sum] = [1, 1]
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k)
    sum += term
  }
  return x !== x ? NaN : sum
}
