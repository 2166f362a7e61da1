import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, interpreted, oneDnn } from '../support/session-graphs.ts'

/** Of the largest element: float32 sums of a few hundred products, in another order. */
const tolerance = 1e-5

interface Geometry {
  readonly spatial: number
  readonly transposed: boolean
  readonly groups: number
  readonly inputs: number
  readonly outputs: number
  readonly batch: number
  readonly edge: number
  readonly kernel: number
  readonly stride: number
  readonly padding: readonly number[] | 'same' | 'valid'
  readonly dilation: number
  readonly outputPadding: number
  readonly bias: boolean
  readonly weightIsComputed?: boolean
}

/** Channels that are multiples of no block, as well as those that are. */
const channels = fc.constantFrom(1, 2, 3, 5, 8, 16, 17, 20)

const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    spatial: fc.constantFrom(1, 2, 2, 2, 3),
    transposed: fc.constantFrom(false, false, true),
    grouping: fc.constantFrom('none', 'none', 'two', 'depthwise'),
    inputs: channels,
    outputs: channels,
    batch: fc.constantFrom(1, 2, 3),
    edge: fc.integer({ min: 3, max: 7 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.constantFrom('same', 'valid', 'number', 'uneven'),
    dilation: fc.constantFrom(1, 1, 2),
    outputPadding: fc.constantFrom(0, 0, 1),
    bias: fc.boolean(),
    weightIsComputed: fc.constantFrom(false, false, true),
  })
  .map(({ grouping, padding, ...one }) => {
    const groups = grouping === 'none' ? 1 : grouping === 'two' ? 2 : one.inputs
    const width = grouping === 'two' ? 2 : 1
    const edge = Math.max(one.edge, one.dilation * (one.kernel - 1) + 1)
    const most = Math.floor(one.kernel / 2)
    const numbers = Array.from({ length: one.spatial }, (_, i) =>
      padding === 'number' || i % 2 === 0 ? most : 0,
    )
    const words = one.transposed || (padding === 'same' && one.stride !== 1)
    return {
      ...one,
      groups,
      edge,
      inputs: grouping === 'depthwise' ? one.inputs : one.inputs * width,
      outputs: grouping === 'depthwise' ? one.inputs : one.outputs * width,
      padding: (padding === 'same' || padding === 'valid') && !words ? padding : numbers,
      outputPadding: one.outputPadding < Math.max(one.stride, one.dilation) ? one.outputPadding : 0,
    }
  })

function convolve(builder: GraphBuilder, x: Value, one: Geometry): Value {
  const per = (value: number): number[] => new Array<number>(one.spatial).fill(value)
  const kernel = per(one.kernel)
  const weights = one.transposed
    ? [one.inputs, one.outputs / one.groups, ...kernel]
    : [one.outputs, one.inputs / one.groups, ...kernel]
  const weight = one.weightIsComputed
    ? builder.call('relu', builder.input(noise(weights, 3)))
    : builder.constant(noise(weights, 3))
  const bias = one.bias ? builder.constant(noise([one.outputs], 4)) : null
  const [stride, dilation] = [per(one.stride), per(one.dilation)]
  return one.transposed
    ? builder.call(
        `conv_transpose${one.spatial}d`,
        ...[x, weight, bias, stride, one.padding, per(one.outputPadding), one.groups, dilation],
      )
    : builder.call(`conv${one.spatial}d`, ...[x, weight, bias, stride, one.padding, dilation, one.groups])
}

function inputOf(one: Geometry): ReturnType<typeof noise> {
  return noise([one.batch, one.inputs, ...new Array<number>(one.spatial).fill(one.edge)], 2)
}

type Epilogue = (builder: GraphBuilder, x: Value, seed: number) => Value

const unary: Readonly<Record<string, Epilogue>> = {
  relu: (b, x) => b.call('relu', x),
  relu_: (b, x) => b.call('relu_', x),
  relu6: (b, x) => b.call('relu6', x),
  hardtanh: (b, x) => b.call('hardtanh', x, new Double(0.25), new Double(2)),
  clamp: (b, x) => b.call('clamp', x, new Double(0.5), null),
  leaky_relu: (b, x) => b.call('leaky_relu', x, new Double(0.2)),
  hardswish: (b, x) => b.call('hardswish', x),
  hardswish_: (b, x) => b.call('hardswish_', x),
  silu: (b, x) => b.call('silu', x),
  sigmoid: (b, x) => b.call('sigmoid', x),
  hardsigmoid: (b, x) => b.call('hardsigmoid', x),
  tanh: (b, x) => b.call('tanh', x),
  gelu: (b, x) => b.call('gelu', x, 'none'),
  'gelu tanh': (b, x) => b.call('gelu', x, 'tanh'),
  mish: (b, x) => b.call('mish', x),
  elu: (b, x) => b.call('elu', x, new Double(1.5), 1, 1),
  exp: (b, x) => b.call('exp', b.call('hardtanh', x, new Double(-2), new Double(2))),
  softplus: (b, x) => b.call('softplus', x, 1, 20),
  log_sigmoid: (b, x) => b.call('log_sigmoid', x),
  selu: (b, x) => b.call('selu', x),
  'pow 2': (b, x) => b.call('pow', x, 2),
  'rsqrt of 1 and more': (b, x) => b.call('rsqrt', b.call('clamp', x, new Double(1), null)),
  'log of 2 and more': (b, x) => b.call('log', b.call('clamp', x, new Double(2), null)),
  'reciprocal of 1 and more': (b, x) => b.call('reciprocal', b.call('clamp', x, new Double(1), null)),
  'add 0.75': (b, x) => b.call('add', x, new Double(0.75), 2),
  'sub 0.75': (b, x) => b.call('sub', x, new Double(0.75), 1),
  'mul 3': (b, x) => b.call('mul', x, 3),
  'div 3': (b, x) => b.call('div', x, 3),
  neg: (b, x) => b.call('neg', x),
}

const binary = ['add', 'sub', 'mul', 'maximum', 'minimum', 'div'] as const
const operandKinds = ['whole', 'channels', 'scalar', 'one', 'row'] as const

const steps = fc.oneof(
  fc.constantFrom(...Object.keys(unary)).map((name) => ({ name, operand: undefined, swapped: false })),
  fc.record({
    name: fc.constantFrom(...binary),
    operand: fc.constantFrom(...operandKinds),
    swapped: fc.boolean(),
  }),
)

function operandOf(builder: GraphBuilder, kind: string, sizes: readonly number[], seed: number): Value {
  const rest = sizes.slice(2)
  const wanted = {
    whole: sizes,
    channels: [1, sizes[1]!, ...rest.map(() => 1)],
    scalar: [],
    one: [1],
    row: [sizes.at(-1)!],
  }[kind]!
  return seed % 2 === 0
    ? builder.constant(noise(wanted, seed, 0.5, 1.5))
    : builder.call('add', builder.input(noise(wanted, seed, 0.5, 1.5)), new Double(0.25), 1)
}

function resultSizes(one: Geometry): readonly number[] {
  const probe = new GraphBuilder()
  probe.output(convolve(probe, probe.input(inputOf(one)), one))
  return sizesOf(probe)
}

describe.skipIf(oneDnn === undefined)('convolutions on oneDNN', () => {
  it('are those of the interpreter, whatever their geometry', () => {
    fc.assert(
      fc.property(geometries, (one) => {
        const builder = new GraphBuilder()
        builder.output(convolve(builder, builder.input(inputOf(one)), one))
        expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
      }),
      { numRuns: 150 },
    )
  })

  it.each(Object.keys(unary))('do %s before they store, and leave padded channels clean', (name) => {
    for (const outputs of [16, 17]) {
      const builder = new GraphBuilder()
      const one: Geometry = {
        ...{ spatial: 2, transposed: false, groups: 1, inputs: 16, outputs, batch: 2, edge: 6, kernel: 3 },
        ...{ stride: 1, padding: [1, 1], dilation: 1, outputPadding: 0, bias: true },
      }
      const x = convolve(builder, builder.input(inputOf(one)), one)
      const next = convolve(builder, unary[name]!(builder, x, 1), { ...one, inputs: outputs, outputs: 5 })
      builder.output(next)
      expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
    }
  })

  it('add an operand of their own sizes to every channel, in one position too', () => {
    for (const channels of [5, 16, 17, 33])
      for (const edge of [1, 3]) {
        const one: Geometry = {
          ...{
            spatial: 2,
            transposed: false,
            groups: channels,
            inputs: channels,
            outputs: channels,
            batch: 1,
          },
          ...{ edge, kernel: 1, stride: 1, padding: [0, 0], dilation: 1, outputPadding: 0, bias: false },
        }
        const builder = new GraphBuilder()
        const x = convolve(builder, builder.input(inputOf(one)), one)
        builder.output(builder.call('add', x, operandOf(builder, 'whole', resultSizes(one), 10), 1))
        expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
      }
  })

  it('do chains of what follows before they store', () => {
    fc.assert(
      fc.property(geometries, fc.array(steps, { minLength: 1, maxLength: 4 }), (one, chain) => {
        const builder = new GraphBuilder()
        const sizes = resultSizes(one)
        const x = builder.input(inputOf(one))
        let value = convolve(builder, x, one)
        for (const [i, { name, operand, swapped }] of chain.entries()) {
          if (operand === undefined) {
            value = unary[name]!(builder, value, i)
            continue
          }
          const other = operandOf(builder, operand, sizes, 10 + i)
          const pair = swapped && name !== 'div' ? [other, value] : [value, other]
          value = builder.call(name, ...pair, ...(name === 'add' || name === 'sub' ? [1] : []))
        }
        builder.output(value)
        expect(differenceFromInterpreter(builder, oneDnn!, 3e-5)).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })
})

function sizesOf(builder: GraphBuilder): readonly number[] {
  return interpreted(builder)[0]!.sizes
}
