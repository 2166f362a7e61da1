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
