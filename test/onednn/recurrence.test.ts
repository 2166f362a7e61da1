import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { TensorT } from '../../src/ir/types.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn, runPlanned } from '../support/session-graphs.ts'

/**
 * Of the largest element. Sums of up to 70 products in float32 and the library's own exp and tanh are each off by some
 * 1e-7; states are at most 1, and gates below 1 let no error grow over a dozen steps.
 */
const tolerance = 1e-5

const gates = { lstm: 4, gru: 3, rnn_tanh: 1, rnn_relu: 1 } as const
type Kind = keyof typeof gates

interface Network {
  readonly kind: Kind
  readonly features: number
  readonly units: number
  readonly layers: number
  readonly bidirectional: boolean
  readonly biases: boolean
  readonly batchFirst: boolean
}

function seeded(): (...sizes: readonly number[]) => Tensor {
  let seed = 1
  return (...sizes) => noise(sizes, seed++, -0.5, 0.5)
}

function paramsOf({ kind, features, units, layers, bidirectional, biases }: Network): Tensor[] {
  const random = seeded()
  const rows = gates[kind] * units
  const directions = bidirectional ? 2 : 1
  return Array.from({ length: layers * directions }, (_, i) => [
    random(rows, i < directions ? features : units * directions),
    random(rows, units),
    ...(biases ? [random(rows), random(rows)] : []),
  ]).flat()
}

/** Which weights are not known when the plan is made. */
type Given = 'none' | 'all' | 'biases'

function paramsIn(b: GraphBuilder, net: Network, given: Given): Value[] {
  return paramsOf(net).map((tensor) =>
    given === 'all' || (given === 'biases' && tensor.dim === 1) ? b.input(tensor) : b.constant(tensor),
  )
}

/** Calls the operator. @param states hidden state, and memory where the cell has one */
function recur(
  b: GraphBuilder,
  net: Network,
  input: Value,
  states: readonly Value[],
  given: Given = 'none',
): readonly Value[] {
  const { kind, layers, bidirectional, biases, batchFirst } = net
  const outputs = new Array(kind === 'lstm' ? 3 : 2).fill(TensorT)
  const params = paramsIn(b, net, given)
  const options = [biases, layers, new Double(0), false, bidirectional, batchFirst]
  return b.calls(kind, outputs, input, kind === 'lstm' ? states : states[0]!, params, ...options)
}

/** Initial states. @param make a value of these sizes */
function statesOf(net: Network, batch: number, make: (sizes: readonly number[]) => Value): Value[] {
  const sizes = [net.layers * (net.bidirectional ? 2 : 1), batch, net.units]
  return Array.from({ length: net.kind === 'lstm' ? 2 : 1 }, () => make(sizes))
}

const networks: fc.Arbitrary<Network> = fc.record({
  kind: fc.constantFrom<Kind>('lstm', 'gru', 'rnn_tanh', 'rnn_relu'),
  features: fc.constantFrom(1, 3, 16, 33),
  units: fc.constantFrom(1, 5, 16, 33),
  layers: fc.integer({ min: 1, max: 2 }),
  bidirectional: fc.boolean(),
  biases: fc.boolean(),
  batchFirst: fc.boolean(),
})

/** How its input and its first states come. */
const surroundings = fc.record({
  steps: fc.integer({ min: 1, max: 12 }),
  batch: fc.integer({ min: 1, max: 3 }),
  input: fc.constantFrom('row-major', 'transposed', 'slice', 'expanded'),
  states: fc.constantFrom('given', 'zero', 'expanded'),
  given: fc.constantFrom<Given>('none', 'none', 'all', 'biases'),
})

type Surroundings = typeof surroundings extends fc.Arbitrary<infer T> ? T : never

function inputOf(b: GraphBuilder, net: Network, { steps, batch, input }: Surroundings): Value {
  const sizes = net.batchFirst ? [batch, steps, net.features] : [steps, batch, net.features]
  const [outer, inner, features] = sizes as [number, number, number]
  const x = (...of: readonly number[]): Value => b.input(noise(of, 99))
  if (input === 'transposed') return b.call('transpose', x(inner, outer, features), 0, 1)
  if (input === 'slice') return b.call('slice', x(outer, inner, 2 * features), 2, 0, 2 * features, 2)
  if (input === 'expanded') return b.call('expand', x(outer, 1, features), sizes, false)
  return x(...sizes)
}

function build(net: Network, around: Surroundings): GraphBuilder {
  const b = new GraphBuilder()
  const states = statesOf(net, around.batch, (sizes) => {
    if (around.states === 'zero') return b.constant(noise(sizes, 1, 0, 0))
    if (around.states === 'given') return b.input(noise(sizes, 98))
    return b.call('expand', b.input(noise([sizes[0]!, 1, sizes[2]!], 98)), sizes, false)
  })
  return b.output(...recur(b, net, inputOf(b, net, around), states, around.given))
}

function cellOf(net: Network, batch: number, given: Given): GraphBuilder {
  const b = new GraphBuilder()
  const [w, u, ...biases] = paramsIn(b, { ...net, layers: 1, bidirectional: false }, given)
  const first = Array.from({ length: net.kind === 'lstm' ? 2 : 1 }, (_, i) =>
    b.input(noise([batch, net.units], 90 + i)),
  )
  let states: readonly Value[] = first
  for (let step = 0; step < 3; step++) {
    const x = b.input(noise([batch, net.features], step))
    const hx = net.kind === 'lstm' ? states : states[0]!
    const weights = [w!, u!, ...(net.biases ? biases : [null, null])]
    const outputs = first.map(() => TensorT)
    states = b.calls(`${net.kind}_cell`, outputs, x, hx, ...weights)
  }
  return b.output(...states)
}

const plain: Network = {
  kind: 'lstm',
  features: 3,
  units: 4,
  layers: 1,
  bidirectional: false,
  biases: true,
  batchFirst: false,
}

/** Where steps of a kind ran, and why where they did. */
function placesOf(builder: GraphBuilder, kind: string): readonly string[] {
  const { steps, interpreted } = runPlanned(builder.graph, builder.inputs, oneDnn!)
  expect(interpreted).toEqual([])
  return steps
    .filter(({ nodes }) => nodes === `aten::${kind}`)
    .map(({ backend, reason }) => (reason === undefined ? backend : `${backend}: ${reason}`))
}

function expectSame(builder: GraphBuilder): void {
  expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
}

describe.skipIf(oneDnn === undefined)('recurrent networks on oneDNN', () => {
  it('answer as the interpreter, of every form', () => {
    fc.assert(
      fc.property(networks, surroundings, (net, around) => {
        const builder = build(net, around)
        expectSame(builder)
        const places = placesOf(builder, net.kind)
        expect(places.length).toBeGreaterThanOrEqual(net.layers * (net.bidirectional ? 2 : 1))
        expect(new Set(places)).toEqual(new Set(['onednn']))
      }),
      { numRuns: 150 },
    )
  })

  it('answer cell by cell as the interpreter', () => {
    fc.assert(
      fc.property(networks, surroundings, (net, { batch, given }) => {
        const builder = cellOf(net, batch, given)
        expectSame(builder)
        const places = placesOf(builder, `${net.kind}_cell`)
        expect(places.length).toBeGreaterThanOrEqual(3)
        expect(new Set(places)).toEqual(new Set(['onednn']))
      }),
      { numRuns: 50 },
    )
  })

  it('read what a convolution left, and are read by a product', () => {
    for (const kind of ['lstm', 'gru'] as const)
      for (const batchFirst of [false, true]) {
        const b = new GraphBuilder()
        const kernel = b.constant(noise([16, 3, 4, 3], 5))
        const image = b.input(noise([2, 3, 4, 9], 6))
        const columns = b.call('conv2d', image, kernel, null, [1, 1], [0, 1], [1, 1], 1)
        const rows = b.call('permute', b.call('squeeze', columns, 2), batchFirst ? [0, 2, 1] : [2, 0, 1])
        const net = { ...plain, kind, features: 16, bidirectional: true, batchFirst }
        const [output] = recur(
          b,
          net,
          rows,
          statesOf(net, 2, (sizes) => b.constant(noise(sizes))),
        )
        b.output(b.call('linear', output!, b.constant(noise([7, 2 * net.units], 7)), null))
        expectSame(b)
      }
  })

  it('keep their states from one call to the next in values of their own', () => {
    const b = new GraphBuilder()
    const x = b.input(noise([4, 2, 3], 8))
    const states = statesOf(plain, 2, (sizes) => b.input(noise(sizes, 9)))
    const [first, ...after] = recur(b, plain, x, states)
    const [second, ...last] = recur(b, plain, x, after)
    expectSame(b.output(first!, second!, ...after, ...last))
  })

  it('are left to the reference kernels where the library cannot, and say why', () => {
    const reasonOf = (net: Network, change: (b: GraphBuilder) => readonly Value[]): readonly string[] => {
      const b = new GraphBuilder()
      b.output(...change(b))
      expectSame(b)
      return placesOf(b, net.kind)
    }
    const zero = new Double(0)
    const weights = (b: GraphBuilder, projection: number): Value[] =>
      [[16, 3], [16, projection || 4], [16], [16], ...(projection ? [[projection, 4]] : [])].map((sizes, i) =>
        b.constant(noise(sizes, i, -0.5, 0.5)),
      )
    const three = [TensorT, TensorT, TensorT]
    expect(
      reasonOf(plain, (b) => {
        const states = [b.input(noise([1, 2, 2], 1)), b.input(noise([1, 2, 4], 2))]
        const options = [true, 1, zero, false, false, false]
        return b.calls('lstm', three, b.input(noise([5, 2, 3], 3)), states, weights(b, 2), ...options)
      }),
    ).toEqual(['reference: it projects its hidden state'])
    expect(
      reasonOf(plain, (b) => {
        const states = statesOf(plain, 2, (sizes) => b.input(noise(sizes, 1)))
        const sizes = b.constant(Tensor.from('int64', [2], [2, 1]))
        const options = [true, 1, zero, false, false]
        return b.calls('lstm', three, b.input(noise([3, 3], 3)), sizes, states, weights(b, 0), ...options)
      }),
    ).toEqual(['reference: its sequences are packed'])
    const b = new GraphBuilder()
    const states = [b.input(noise([2, 2], 1)), b.input(noise([2, 4], 2))]
    const given = [[16, 3], [16, 2], [16], [16]].map((sizes, i) => b.input(noise(sizes, i)))
    b.output(...b.calls('lstm_cell', [TensorT, TensorT], b.input(noise([2, 3], 3)), states, ...given))
    expectSame(b)
    expect(placesOf(b, 'lstm_cell')).toEqual(['reference: its states have two widths'])
  })

  it('stay with the interpreter in training, where elements are dropped by chance', () => {
    const b = new GraphBuilder()
    const net = { ...plain, layers: 2 }
    const states = statesOf(net, 2, (sizes) => b.input(noise(sizes, 1)))
    const params = paramsOf(net).map((tensor) => b.constant(tensor))
    const options = [true, 2, new Double(0.5), true, false, false]
    const outputs = [TensorT, TensorT, TensorT]
    b.output(...b.calls('lstm', outputs, b.input(noise([5, 2, 3], 3)), states, params, ...options))
    expect(runPlanned(b.graph, b.inputs, oneDnn!).interpreted).toEqual(['aten::lstm'])
  })
})
