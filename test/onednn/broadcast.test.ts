import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergedDimensions } from '../../src/backends/onednn/merged-dimensions.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn, runPlanned } from '../support/session-graphs.ts'

/** One operation on float32, rounded once on both sides. */
const tolerance = 1e-6

describe('dimensions in which two row-major tensors meet', () => {
  it('are as few as they can be', () => {
    expect(mergedDimensions([2, 3, 4, 5], [1, 1, 4, 5])).toEqual([
      [6, 20],
      [1, 20],
    ])
    expect(mergedDimensions([2, 3, 4], [2, 3, 4])).toEqual([[24], [24]])
    expect(mergedDimensions([2, 3, 4], [4])).toEqual([
      [6, 4],
      [1, 4],
    ])
    expect(mergedDimensions([1, 64, 3, 7, 7], [1, 64, 1, 7, 7])).toEqual([
      [64, 3, 49],
      [64, 1, 49],
    ])
    expect(mergedDimensions([1, 1], [1])).toEqual([[1], [1]])
  })
})

describe.skipIf(oneDnn === undefined)('operands that are broadcast, on oneDNN as on the reference', () => {
  it('whatever dimensions they lack or have one of', () => {
    const size = fc.constantFrom(1, 2, 3, 5, 16, 17)
    fc.assert(
      fc.property(
        fc.array(fc.record({ size, whole: fc.boolean() }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom('add', 'sub', 'mul', 'div'),
        fc.boolean(),
        fc.nat(5),
        (dims, operator, isSwapped, dropped) => {
          const builder = new GraphBuilder()
          const sizes = dims.map((dim) => dim.size)
          const operand = dims.map((dim) => (dim.whole ? dim.size : 1))
          // Leading ones may be left out.
          const leading = operand.findIndex((each) => each !== 1)
          const shape = operand.slice(Math.min(dropped, leading < 0 ? operand.length : leading))
          const values = [noise(sizes, 1), noise(shape, 2)].map((tensor) => builder.input(tensor))
          const [a, b] = isSwapped ? values.toReversed() : values
          const sum = operator === 'add' || operator === 'sub' ? [1] : []
          builder.output(
            builder.call(operator, a!, operator === 'div' ? builder.call('exp', b!) : b!, ...sum),
          )
          expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('by vector kernels, as the masks of shifted windows are', () => {
    const builder = new GraphBuilder()
    const scores = builder.input(noise([1, 4, 3, 49, 49], 1))
    builder.output(builder.call('add', scores, builder.constant(noise([1, 4, 1, 49, 49], 2)), 1))
    const { steps } = runPlanned(builder.graph, builder.inputs, oneDnn!)
    expect(steps.map(({ implementation }) => implementation)).toEqual(['jit:uni'])
  })
})
