import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from './half.ts'

const isNotANumber = (word: number, exponentMask: number, fractionMask: number): boolean =>
  (word & exponentMask) === exponentMask && (word & fractionMask) !== 0

describe('16-bit floats', () => {
  it('come back from a number as they were', () => {
    for (let word = 0; word < 65536; word++) {
      if (!isNotANumber(word, 0x7c00, 0x3ff)) expect(numberToHalf(halfToNumber(word))).toBe(word)
      if (!isNotANumber(word, 0x7f80, 0x7f)) expect(numberToBfloat16(bfloat16ToNumber(word))).toBe(word)
    }
  })
  it('are the nearest to any number', () => {
    fc.assert(
      fc.property(fc.double({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const word = numberToHalf(value)
        const error = Math.abs(halfToNumber(word) - value)
        expect(error).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25))
      }),
    )
  })
  it('overflow to infinity and keep NaN', () => {
    expect(halfToNumber(numberToHalf(65519))).toBe(65504)
    expect(halfToNumber(numberToHalf(-65520))).toBe(-Infinity)
    expect(halfToNumber(numberToHalf(NaN))).toBeNaN()
    expect(bfloat16ToNumber(numberToBfloat16(NaN))).toBeNaN()
    expect(bfloat16ToNumber(numberToBfloat16(1e39))).toBe(Infinity)
  })
})
