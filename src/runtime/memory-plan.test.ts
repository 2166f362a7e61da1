import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planMemory, type Lifetime } from './memory-plan.ts'

const lifetimes: fc.Arbitrary<Lifetime[]> = fc.array(
  fc
    .record({ bytes: fc.nat(3000), first: fc.nat(20), length: fc.nat(8) })
    .map(({ bytes, first, length }) => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
)

describe('a memory plan', () => {
  it('lets nothing overlap that is alive at the same step', () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const { offsets, arenaBytes } = planMemory(all)
        const spans = all.map(({ bytes, first, last }, i) => ({
          from: offsets[i] ?? NaN,
          bytes,
          first,
          last,
        }))
        for (const [i, a] of spans.entries()) {
          expect(a.from % 64).toBe(0)
          expect(a.from + a.bytes).toBeLessThanOrEqual(arenaBytes)
          for (const b of spans.slice(i + 1)) {
            const together = a.first <= b.last && b.first <= a.last
            const apart = a.from + a.bytes <= b.from || b.from + b.bytes <= a.from
            expect(!together || apart || a.bytes === 0 || b.bytes === 0).toBe(true)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes at least what is alive at once, and at most everything', () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const { arenaBytes, sumBytes, lowerBound } = planMemory(all)
        expect(arenaBytes).toBeGreaterThanOrEqual(lowerBound)
        expect(arenaBytes).toBeLessThanOrEqual(sumBytes)
      }),
    )
  })

  it('reaches the lower bound for a chain', () => {
    const chain = [64, 256, 128, 512].map((bytes, i) => ({ bytes, first: i, last: i + 1 }))
    const { arenaBytes, lowerBound } = planMemory(chain)
    expect(arenaBytes).toBe(lowerBound)
  })

  it('takes very many lifetimes', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ bytes: 64, first: i, last: i + 1 }))
    expect(planMemory(many).arenaBytes).toBe(128)
  })
})
