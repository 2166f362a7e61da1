import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  addInt,
  andInt,
  floorDivInt,
  moduloInt,
  mulInt,
  powInt,
  subInt,
  truncDivInt,
  wrapInt,
  xorInt,
  type Int,
} from './int64.ts'

const int = fc
  .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -20n, max: 20n }))
  .map(wrapInt)
const exact = (value: bigint): Int => wrapInt(value)

it('computes on 64 bits, wrapping around', () => {
  fc.assert(
    fc.property(int, int, (a, b) => {
      const [x, y] = [BigInt(a), BigInt(b)]
      expect(addInt(a, b)).toBe(exact(x + y))
      expect(subInt(a, b)).toBe(exact(x - y))
      expect(mulInt(a, b)).toBe(exact(x * y))
      expect(andInt(a, b)).toBe(exact(x & y))
      expect(xorInt(a, b)).toBe(exact(x ^ y))
      fc.pre(b !== 0)
      expect(truncDivInt(a, b)).toBe(exact(x / y))
      const floor = x / y - (x % y !== 0n && x < 0n !== y < 0n ? 1n : 0n)
      expect(floorDivInt(a, b)).toBe(exact(floor))
      if (BigInt.asIntN(64, y + (x % y)) === y + (x % y)) expect(moduloInt(a, b)).toBe(exact(x - floor * y))
    }),
    { numRuns: 2000 },
  )
})

it('holds every safe int as a number without a negative zero', () => {
  fc.assert(
    fc.property(int, int, (a, b) => {
      for (const result of [addInt(a, b), mulInt(a, b), subInt(a, b)]) {
        expect(typeof result === 'number').toBe(Number.isSafeInteger(Number(result)))
        expect(Object.is(result, -0)).toBe(false)
      }
    }),
  )
})

it('raises to powers', () => {
  expect(powInt(3, 40)).toBe(12157665459056928801n - 2n ** 64n)
  expect(powInt(-2, 3)).toBe(-8)
  expect(() => powInt(2, -1)).toThrow(/no int/)
})
