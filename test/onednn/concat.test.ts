import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn } from '../support/session-graphs.ts'

/** Of the largest element: sums of some dozens of products. */
const tolerance = 1e-5

interface Part {
  /** A convolution of a row-major input leaves blocked channels, one with wide inputs may leave channels innermost. */
  readonly from: 'blocked' | 'channels-last' | 'input' | 'half'
  readonly channels: number
  /** Whether somebody else needs it too. */
  readonly isShared: boolean
}

const aPart: fc.Arbitrary<Part> = fc.record({
  from: fc.constantFrom('blocked', 'channels-last', 'input', 'half'),
  channels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 32)),
  isShared: fc.boolean(),
})

interface Join {
  readonly parts: readonly Part[]
  readonly batch: number
  readonly axis: number
  /** Whether the joined tensor is joined once more, as in DenseNet. */
  readonly goesOn: boolean
}

const joins: fc.Arbitrary<Join> = fc.record({
  parts: fc.array(aPart, { minLength: 1, maxLength: 4 }),
  batch: fc.constantFrom(1, 1, 2),
  axis: fc.constantFrom(1, 1, 1, -3),
  goesOn: fc.boolean(),
})

function convolve(b: GraphBuilder, x: Value, inputs: number, outputs: number, seed: number): Value {
  const weight = b.constant(noise([outputs, inputs, 3, 3], seed))
  return b.call('relu', b.call('conv2d', x, weight, null, [1, 1], [1, 1], [1, 1], 1))
}

function build(b: GraphBuilder, { parts, batch, axis, goesOn }: Join): void {
  const image = (channels: number, seed: number): Value => b.input(noise([batch, channels, 6, 5], seed))
  const make = ({ from, channels }: Part, seed: number): Value => {
    if (from === 'input') return image(channels, seed)
    if (from === 'half')
      return b.call('slice', convolve(b, image(3, seed), 3, 2 * channels, seed), 1, channels, 2 * channels, 1)
    const inputs = from === 'blocked' ? 3 : 20
    return convolve(b, image(inputs, seed), inputs, channels, seed)
  }
  const values = parts.map((part, i) => make(part, 10 * i + 1))
  const channels = parts.reduce((sum, part) => sum + part.channels, 0)
  const joined = b.call('cat', values, axis)
  const last = goesOn ? b.call('cat', [joined, convolve(b, joined, channels, 8, 91)], 1) : joined
  const others = parts.flatMap(({ isShared, channels: inputs }, i) =>
    isShared ? [convolve(b, values[i]!, inputs, 4, 93)] : [],
  )
  b.output(convolve(b, last, goesOn ? channels + 8 : channels, 5, 92), ...others)
}

describe.skipIf(oneDnn === undefined)('concatenation on oneDNN', () => {
  it('is the interpreter’s, whatever its operands lie in', () => {
    fc.assert(
      fc.property(joins, (join) => {
        const builder = new GraphBuilder()
        build(builder, join)
        expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
      }),
      { numRuns: Number(process.env['FUZZ_CONCATS'] ?? 150) },
    )
  })
})
