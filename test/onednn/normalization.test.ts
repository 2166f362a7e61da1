import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn, runPlanned } from '../support/session-graphs.ts'

/** Of the largest element: means and variances of up to some thousand float32. */
const tolerance = 1e-5

/** As a convolution leaves it: in blocks of channels, the last one padded. */
function convolved(builder: GraphBuilder, sizes: readonly number[]): Value {
  const [images = 1, channels = 1, ...rest] = sizes
  const weight = builder.constant(noise([channels, 3, ...rest.map(() => 1)], 7))
  const x = builder.input(noise([images, 3, ...rest], 1))
  const per = (value: number): number[] => rest.map(() => value)
  return builder.call(`conv${rest.length}d`, x, weight, null, per(1), per(0), per(1), 1)
}

const images = fc.record({
  count: fc.constantFrom(1, 2, 3),
  groups: fc.constantFrom(1, 2, 4, 8),
  perGroup: fc.constantFrom(1, 2, 3, 4, 8),
  edges: fc.array(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 3 }),
  isConvolved: fc.boolean(),
  hasParameters: fc.boolean(),
  next: fc.constantFrom('relu', 'silu', 'none'),
})

describe.skipIf(oneDnn === undefined)('norms of groups of channels on oneDNN as on the reference', () => {
  for (const kind of ['group_norm', 'instance_norm'] as const)
    it(kind, () => {
      fc.assert(
        fc.property(images, ({ count, groups, perGroup, edges, isConvolved, hasParameters, next }) => {
          const builder = new GraphBuilder()
          const channels = groups * perGroup
          const sizes = [count, channels, ...edges]
          const x = isConvolved ? convolved(builder, sizes) : builder.input(noise(sizes, 1))
          const [weight, bias] = hasParameters
            ? [builder.constant(noise([channels], 3)), builder.constant(noise([channels], 4))]
            : [null, null]
          const epsilon = new Double(1e-5)
          const y =
            kind === 'group_norm'
              ? builder.call(kind, x, groups, weight, bias, epsilon, true)
              : builder.call(kind, x, weight, bias, null, null, true, new Double(0.1), epsilon, true)
          builder.output(next === 'none' ? y : builder.call(next, y))
          expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
        }),
        { numRuns: 60 },
      )
    })

  it('with a relu on the way, and nothing left to the reference kernels', () => {
    const builder = new GraphBuilder()
    const x = convolved(builder, [1, 24, 5, 5])
    builder.output(builder.call('relu', builder.call('group_norm', x, 6, null, null, new Double(1e-5), true)))
    const { steps } = runPlanned(builder.graph, builder.inputs, oneDnn!)
    expect(steps.filter(({ backend }) => backend === 'reference')).toEqual([])
    expect(steps.some(({ nodes }) => nodes === 'aten::relu')).toBe(false)
  })

  it('far from zero, where squares would cancel', () => {
    const builder = new GraphBuilder()
    const x = builder.call('add', builder.input(noise([1, 8, 6, 6], 1)), new Double(300), 1)
    builder.output(builder.call('group_norm', x, 2, null, null, new Double(1e-5), true))
    // float32 holds 300 to 3e-5, and elements are within 1 of each other.
    expect(differenceFromInterpreter(builder, oneDnn!, 1e-4)).toBeUndefined()
  })
})

describe.skipIf(oneDnn === undefined)('prelu on oneDNN as on the reference', () => {
  it('with a slope for each channel, or one for all', () => {
    fc.assert(
      fc.property(images, fc.boolean(), ({ count, groups, perGroup, edges, isConvolved }, isOne) => {
        const builder = new GraphBuilder()
        const channels = groups * perGroup
        const sizes = [count, channels, ...edges]
        const x = isConvolved ? convolved(builder, sizes) : builder.input(noise(sizes, 1))
        const y = builder.call('prelu', x, builder.constant(noise([isOne ? 1 : channels], 3)))
        builder.output(y, builder.call('relu', y))
        expect(differenceFromInterpreter(builder, oneDnn!, 1e-6)).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })
})
