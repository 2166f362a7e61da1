import { OperatorArgumentError } from './errors.ts'

/** A TorchScript int: a bigint only outside the safe range. Every function here gives that form. */
export type Int = number | bigint

/** The int with the low 64 bits of `value`. */
export function wrapInt(value: bigint): Int {
  const wrapped = BigInt.asIntN(64, value)
  const small = Number(wrapped)
  return Number.isSafeInteger(small) ? small : wrapped
}

const lowest = -(2n ** 63n)

/** C's conversion of a double, which truncates; what does not fit becomes the lowest int, as on x86-64. */
export function intFromDouble(value: number): Int {
  const truncated = Math.trunc(value)
  if (Number.isSafeInteger(truncated)) return truncated + 0
  return Math.abs(value) < 2 ** 63 ? wrapInt(BigInt(truncated)) : lowest
}

/** An operation that is exact on doubles while its result is safe, and goes through bigint otherwise. */
function exactly(
  onNumbers: (a: number, b: number) => number,
  onBigInts: (a: bigint, b: bigint) => bigint,
): (a: Int, b: Int) => Int {
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = onNumbers(a, b)
      if (Number.isSafeInteger(result)) return result + 0
    }
    return wrapInt(onBigInts(BigInt(a), BigInt(b)))
  }
}

export const addInt = exactly(
  (a, b) => a + b,
  (a, b) => a + b,
)
export const subInt = exactly(
  (a, b) => a - b,
  (a, b) => a - b,
)
export const mulInt = exactly(
  (a, b) => a * b,
  (a, b) => a * b,
)
const bitInt = (onBigInts: (a: bigint, b: bigint) => bigint): ((a: Int, b: Int) => Int) =>
  exactly(() => NaN, onBigInts)
export const andInt = bitInt((a, b) => a & b)
export const orInt = bitInt((a, b) => a | b)
export const xorInt = bitInt((a, b) => a ^ b)
export const shiftLeftInt = bitInt((a, b) => (checkShift(b) > 63n ? 0n : a << b))
export const shiftRightInt = bitInt((a, b) => a >> checkShift(b))

function checkShift(by: bigint): bigint {
  if (by < 0n) throw new OperatorArgumentError('negative shift count')
  return by
}

export function negInt(a: Int): Int {
  return subInt(0, a)
}

export function absInt(a: Int): Int {
  return a < 0 ? negInt(a) : a
}

/** Rounds towards minus infinity. @throws OperatorArgumentError for a divisor of 0 */
export function floorDivInt(a: Int, b: Int): Int {
  return divide(a, b, (x, y) => x / y - (x % y !== 0n && x < 0n !== y < 0n ? 1n : 0n), Math.floor)
}

/** Rounds towards zero. @throws OperatorArgumentError for a divisor of 0 */
export function truncDivInt(a: Int, b: Int): Int {
  return divide(a, b, (x, y) => x / y, Math.trunc)
}

function divide(
  a: Int,
  b: Int,
  onBigInts: (a: bigint, b: bigint) => bigint,
  round: (quotient: number) => number,
): Int {
  checkDivisor(b)
  // The double quotient is rounded right only where both are small.
  if (typeof a === 'number' && typeof b === 'number' && Math.abs(a) < 2 ** 26) return round(a / b) + 0
  return wrapInt(onBigInts(BigInt(a), BigInt(b)))
}

/**
 * `(b + a % b) % b` as libtorch computes it: the sign of the divisor, but for a sum that leaves 64 bits.
 *
 * @throws OperatorArgumentError for a divisor of 0
 */
export function moduloInt(a: Int, b: Int): Int {
  checkDivisor(b)
  return remainder(addInt(b, remainder(a, b)), b)
}

const remainder = exactly(
  (a, b) => a % b,
  (a, b) => a % b,
)

function checkDivisor(b: Int): void {
  if (b === 0) throw new OperatorArgumentError('division by 0')
}

/** @throws OperatorArgumentError for a negative exponent */
export function powInt(base: Int, exponent: Int): Int {
  if (exponent < 0)
    throw new OperatorArgumentError(`an int to the power ${exponent} is no int`, { argument: 'b' })
  let result = 1n
  let square = BigInt.asIntN(64, BigInt(base))
  for (let rest = BigInt(exponent); rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return wrapInt(result)
}

export function gcdInt(a: Int, b: Int): Int {
  let [x, y] = [BigInt(absInt(a)), BigInt(absInt(b))]
  while (y !== 0n) [x, y] = [y, x % y]
  return wrapInt(x)
}
