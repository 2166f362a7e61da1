import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn, runPlanned } from '../support/session-graphs.ts'

/** Of the largest element: float32 sums of a few dozen products, and the library's own exp. */
const tolerance = 1e-5

type Build = (builder: GraphBuilder, x: (...sizes: readonly number[]) => Value) => Value

const attention = (
  b: GraphBuilder,
  [query, key, value]: readonly [Value, Value, Value],
  mask: Value | null,
  isCausal: boolean,
  scale: Double | null = null,
): Value =>
  b.call('scaled_dot_product_attention', query, key, value, mask, new Double(0), isCausal, scale, false)

const einsum =
  (equation: string, ...sizes: readonly (readonly number[])[]): Build =>
  (b, x) =>
    b.call(
      'einsum',
      b.constant(equation),
      sizes.map((each) => x(...each)),
      null,
    )

/** Taken apart into steps that the library has. */
const cases: Readonly<Record<string, Build>> = {
  'attention of heads': (b, x) => attention(b, [x(2, 3, 7, 8), x(2, 3, 9, 8), x(2, 3, 9, 5)], null, false),
  'attention of one head, scaled': (b, x) =>
    attention(b, [x(2, 7, 8), x(2, 7, 8), x(2, 7, 8)], null, false, new Double(0.5)),
  'attention that looks back only': (b, x) =>
    attention(b, [x(1, 2, 7, 8), x(1, 2, 7, 8), x(1, 2, 7, 8)], null, true),
  'attention with a constant mask': (b, x) => {
    const mask = Tensor.from('bool', [3, 4], [1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0])
    return attention(b, [x(1, 2, 3, 8), x(1, 2, 4, 8), x(1, 2, 4, 8)], b.constant(mask), false)
  },
  'attention with a constant mask that is added, and looks back only': (b, x) => {
    const mask = b.constant(noise([4, 4], 9))
    return attention(b, [x(1, 2, 4, 8), x(1, 2, 4, 8), x(1, 2, 4, 8)], mask, true)
  },
  'attention of heads looked at': (b, x) => {
    const heads = (y: Value): Value => b.call('transpose', b.call('view', y, [2, 7, 3, 4]), 1, 2)
    const parts = [x(2, 7, 12), x(2, 7, 12), x(2, 7, 12)].map(heads) as [Value, Value, Value]
    return b.call('reshape', b.call('transpose', attention(b, parts, null, false), 1, 2), [2, 7, 12])
  },
  'an encoder layer, norms in front or behind': (b, x) => {
    const parameter = (...sizes: readonly number[]): Value =>
      b.constant(noise(sizes, sizes.length + sizes[0]!))
    const layer = (y: Value, isFirst: boolean): Value =>
      b.call(
        '_transformer_encoder_layer_fwd',
        ...[y, 8, 2, parameter(24, 8), parameter(24), parameter(8, 8), parameter(8), isFirst, isFirst],
        ...[new Double(1e-5), parameter(8), parameter(8), parameter(8), parameter(8)],
        ...[parameter(16, 8), parameter(16), parameter(8, 16), parameter(8), null, null],
      )
    return layer(layer(x(2, 5, 8), true), false)
  },
  'einsum of batches of matrices': einsum('bij,bjk->bik', [2, 3, 4], [2, 4, 5]),
  'einsum with dimensions between': einsum('bhwc,hkc->bhwk', [2, 3, 4, 5], [3, 6, 5]),
  'einsum of an outer product': einsum('i,j->ji', [3], [4]),
  'einsum without output': einsum('ij,jk', [3, 4], [4, 5]),
  'pixel shuffle': (b, x) => b.call('pixel_shuffle', x(2, 12, 3, 5), 2),
  'pixel shuffle behind a convolution': (b, x) =>
    b.call(
      'pixel_shuffle',
      b.call('conv2d', x(1, 3, 5, 6), b.constant(noise([18, 3, 1, 1], 3)), null, [1, 1], [0, 0], [1, 1], 1),
      3,
    ),
  'pixel unshuffle': (b, x) => b.call('pixel_unshuffle', x(1, 3, 4, 6), 2),
}

function graphOf(build: Build): GraphBuilder {
  const builder = new GraphBuilder()
  let seed = 1
  return builder.output(build(builder, (...sizes) => builder.input(noise(sizes, seed++))))
}

describe.skipIf(oneDnn === undefined)('operators that are taken apart, on oneDNN as on the reference', () => {
  for (const [name, build] of Object.entries(cases))
    it(name, () => {
      const builder = graphOf(build)
      expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
      const { steps } = runPlanned(builder.graph, builder.inputs, oneDnn!)
      expect(steps.filter(({ backend }) => backend === 'reference')).toEqual([])
    })

  // What is not: it is computed whole, and right.
  const others: Readonly<Record<string, Build>> = {
    'attention with a mask that is given, of which a row hides all': (b, x) => {
      const mask = b.input(Tensor.from('bool', [3, 4], [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]))
      return attention(b, [x(2, 2, 3, 8), x(2, 2, 4, 8), x(2, 2, 4, 8)], mask, false)
    },
    'attention with a mask that is given and added': (b, x) => {
      const [hidden, seen] = [-Infinity, 0]
      const elements = [hidden, seen, seen, 0.5, hidden, hidden, hidden, hidden]
      const mask = b.input(Tensor.from('float32', [2, 1, 1, 4], elements))
      return attention(b, [x(2, 2, 4, 8), x(2, 2, 4, 8), x(2, 2, 4, 8)], mask, true)
    },
    'attention with a constant mask of which a row hides all': (b, x) => {
      const mask = b.constant(Tensor.from('bool', [2, 3], [0, 0, 0, 1, 0, 1]))
      return attention(b, [x(1, 2, 2, 8), x(1, 2, 3, 8), x(1, 2, 3, 8)], mask, false)
    },
    'einsum that sums one operand alone': einsum('ij,k->k', [3, 4], [5]),
    'einsum of a diagonal': einsum('ii,ij->j', [3, 3], [3, 4]),
    'einsum of three': einsum('ij,jk,kl->il', [2, 3], [3, 4], [4, 5]),
    'einsum of one': einsum('ij->ji', [2, 3]),
    'einsum that stretches': einsum('...ij,...jk->...ik', [1, 3, 4], [2, 4, 5]),
    'attention of batches that share keys': (b, x) =>
      attention(b, [x(2, 3, 7, 8), x(1, 3, 9, 8), x(1, 3, 9, 5)], null, false),
  }
  for (const [name, build] of Object.entries(others))
    it(name, () => {
      expect(differenceFromInterpreter(graphOf(build), oneDnn!, tolerance)).toBeUndefined()
    })

  it('einsum that gives a look at what it got gives a copy', () => {
    const builder = new GraphBuilder()
    const x = builder.input(noise([3, 4], 1))
    const y = builder.call('einsum', builder.constant('ij,->ij'), [x, builder.input(noise([], 2))], null)
    builder.output(builder.call('add_', y, new Double(1), 1), x)
    expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
  })
})
