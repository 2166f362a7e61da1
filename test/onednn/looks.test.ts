import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import {
  differenceFromInterpreter,
  GraphBuilder,
  interpreted,
  oneDnn,
  runPlanned,
} from '../support/session-graphs.ts'

/** Of the largest element: float32 sums of a few products. */
const tolerance = 1e-5

type Build = (builder: GraphBuilder, x: (...sizes: readonly number[]) => Value) => readonly Value[]

const norm = (b: GraphBuilder, x: Value, channels: number): Value => {
  const [weight, bias, mean] = [3, 4, 5].map((seed) => b.constant(noise([channels], seed)))
  const variance = b.constant(
    Tensor.from(
      'float32',
      [channels],
      Array.from({ length: channels }, (_, i) => i + 1),
    ),
  )
  return b.call(
    'batch_norm',
    x,
    weight!,
    bias!,
    mean!,
    variance,
    false,
    new Double(0.1),
    new Double(1e-5),
    true,
  )
}

/** Memory that tensors share, look at in part, or several times. */
const cases: Readonly<Record<string, Build>> = {
  'a concatenation whose parts begin at odd elements': (b, x) => {
    const y = x(1, 3)
    return [b.call('cat', [b.call('relu', y), b.call('sin', y)], 1)]
  },
  'such a part that is needed elsewhere': (b, x) => {
    const y = x(1, 3)
    const part = b.call('exp', y)
    return [b.call('cat', [b.call('relu', y), part], 1), b.call('sin', part)]
  },
  'such a part that is given back': (b, x) => {
    const y = x(1, 3)
    const [first, second] = [3, 4].map((seed) => b.call('linear', y, b.constant(noise([5, 3], seed)), null))
    return [b.call('cat', [first!, second!], 0), b.call('sin', second!), second!]
  },
  'means and maxima over channels of odd images': (b, x) => {
    const y = x(1, 4, 5, 5)
    return [b.call('cat', [b.call('mean', y, [1], true, null), b.call('amax', y, [1], true)], 1)]
  },
  'batch norm of one channel seen as three': (b, x) => [
    norm(b, b.call('expand', x(2, 1, 4, 4), [-1, 3, -1, -1], false), 3),
    norm(b, b.call('expand', b.call('relu', x(4, 1)), [-1, 3], false), 3),
  ],
  'batch norm of channels that overlap': (b, x) => [
    norm(b, b.call('as_strided', b.call('relu', x(1, 120)), [2, 3, 6, 6], [36, 20, 6, 1], null), 3),
  ],
  'means of images whose channels are outside in memory': (b, x) => {
    const turned = b.call('transpose', x(4, 3, 8), 0, 1)
    const linear = b.call('linear', x(4, 3, 6), b.constant(noise([8, 6], 3)), null)
    return [
      b.call('mean', b.call('relu', turned), [2], false, null),
      b.call('mean', b.call('transpose', linear, 0, 1), [2], false, null),
    ]
  },
  'looks at sums that have no dimensions': (b, x) => {
    const sum = b.call('relu', b.call('sum', x(3, 4), null))
    return [b.call('view', sum, [1]), b.call('mul', x(2, 2), b.call('view', sum, [1, 1]))]
  },
  'slopes for channels that are innermost, with images inside': (b, x) => [
    b.call(
      'prelu',
      b.call('tanh', b.call('permute', x(8, 4, 5, 6), [1, 2, 3, 0])),
      b.constant(noise([5], 3)),
    ),
  ],
  'what follows a concatenation in blocks of several images': (b, x) => {
    const image = x(2, 16, 6, 6)
    const convolve = (outputs: number): Value =>
      b.call(
        'conv2d',
        ...[image, b.constant(noise([outputs, 16, 3, 3], outputs)), null, [1, 1], [1, 1], [1, 1], 1],
      )
    const joined = b.call('cat', [convolve(16), convolve(16), convolve(9)], 1)
    return [
      b.call('sigmoid', joined),
      b.call('group_norm', joined, 1, null, null, new Double(1e-5), true),
      b.call('prelu', joined, b.constant(noise([41], 4))),
      b.call('mean', joined, [2, 3], false, null),
    ]
  },
  'products of frames that overlap': (b, x) => {
    const frames = b.call('unfold', x(1, 8), 1, 4, 2)
    return [
      b.call('matmul', b.call('unfold', x(50), 0, 8, 3), b.constant(noise([8, 5], 3))),
      b.call('matmul', frames, b.call('transpose', frames, 1, 2)),
    ]
  },
}

function graphOf(build: Build): GraphBuilder {
  const builder = new GraphBuilder()
  let seed = 1
  return builder.output(...build(builder, (...sizes) => builder.input(noise(sizes, seed++))))
}

describe.skipIf(oneDnn === undefined)('looks at memory, on oneDNN as on the reference', () => {
  for (const [name, build] of Object.entries(cases))
    it(name, () => {
      expect(differenceFromInterpreter(graphOf(build), oneDnn!, tolerance)).toBeUndefined()
    })

  it('products of more than two dimensions, each brought back to row-major memory', () => {
    const builder = graphOf((b, x) => {
      const y = x(4, 2, 12)
      return [b.call('cat', [b.call('linear', y, b.constant(noise([12, 12], 3)), null), y], 0)]
    })
    const [wanted] = interpreted(builder)
    const { outputs } = runPlanned(builder.graph, builder.inputs, oneDnn!, { rowMajorActivations: true })
    expect(outputs[0]!.sizes).toEqual(wanted!.sizes)
    const found = Array.from(outputs[0]!.data, Number)
    Array.from(wanted!.data, Number).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4))
  })
})
