import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double } from '../../src/ir/ivalue.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn } from '../support/session-graphs.ts'

/** Of the largest element. */
const tolerance = 1e-5
/** Each of fourteen convolutions in a row rounds anew; memory that shows through is off by whole elements. */
const toleranceOfChains = 1e-4
const edge = 6

/** Small building blocks over images of 1 × C × 6 × 6, each giving one more image. */
class Net extends GraphBuilder {
  #seed = 1

  image(channels: number): Value {
    return this.input(noise([1, channels, edge, edge], this.#seed++))
  }

  convolution(x: Value, inputs: number, outputs: number, kernel = 1): Value {
    const weight = this.constant(noise([outputs, inputs, kernel, kernel], this.#seed++))
    const padding = (kernel - 1) / 2
    return this.call('conv2d', x, weight, null, [1, 1], [padding, padding], [1, 1], 1)
  }

  add(x: Value, y: Value): Value {
    return this.call('add', x, y, 1)
  }
}

function expectSame(build: (net: Net) => readonly Value[], allowed = tolerance): void {
  const net = new Net()
  net.output(...build(net))
  expect(differenceFromInterpreter(net, oneDnn!, allowed)).toBeUndefined()
}

describe.skipIf(oneDnn === undefined)('memory that a plan uses again', () => {
  it('is not what a convolution still reads when its input is added to its result', () => {
    for (const kernel of [1, 3])
      expectSame((net) => {
        const x = net.convolution(net.image(16), 16, 16)
        return [net.add(net.convolution(x, 16, 16, kernel), x)]
      })
  })

  it('is not what a later epilogue of the same kernel reads', () => {
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const y = net.convolution(net.image(16), 16, 16)
      return [net.call('mul', net.add(net.call('relu', y), x), x)]
    })
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const y = net.convolution(net.image(16), 16, 16)
      return [net.call('mul', net.add(y, x), x)]
    })
  })

  it('is read before it is written where a tensor is copied to a look at itself', () => {
    expectSame((net) => {
      const x = net.call('relu', net.image(2))
      net.call('copy_', net.call('transpose', x, -1, -2), x, false)
      return [x, net.call('relu', x)]
    })
  })

  it('is not what is added but needed elsewhere, before or behind', () => {
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const sum = net.add(net.convolution(net.image(16), 16, 16), x)
      return [sum, net.call('sigmoid', x)]
    })
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const sum = net.add(net.convolution(net.image(16), 16, 16), x)
      return [sum, x]
    })
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const [a] = net.unpack('chunk', 2, x, 2, 1)
      const sum = net.add(net.convolution(net.image(16), 16, 16), x)
      return [sum, net.call('relu', a!)]
    })
  })

  it('is not what a list made before still holds', () => {
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const [list] = net.calls('prim::ListConstruct', [{ kind: 'List', element: { kind: 'Tensor' } }], x, x)
      const y = net.call('relu', x)
      return [net.call('cat', list!, 1), net.call('cat', [y, y], 0)]
    })
  })

  it('is that of a concatenation, whose parts are written where they lie in it', () => {
    for (const [a, b] of [
      [16, 32],
      [3, 16],
      [5, 7],
      [8, 24],
    ] as const)
      expectSame((net) => {
        const x = net.image(16)
        const parts = [net.convolution(x, 16, a), net.convolution(x, 16, b)]
        const joined = net.call('cat', parts, 1)
        return [net.convolution(joined, a + b, 5)]
      })
  })

  it('holds parts of a concatenation that are used elsewhere, twice, or changed', () => {
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      return [net.call('cat', [x, x], 1), net.call('relu', x)]
    })
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 16)
      const y = net.convolution(net.image(16), 16, 16)
      const joined = net.call('cat', [x, y], 1)
      const z = net.add(net.convolution(y, 16, 16), x)
      return [joined, z]
    })
    for (const written of ['part', 'whole', 'view of part'])
      expectSame((net) => {
        const x = net.call('clone', net.convolution(net.image(1), 1, 1), null)
        const y = net.call('clone', net.convolution(net.image(1), 1, 1), null)
        const joined = net.call('cat', [x, y], 1)
        const look = net.call('select', written === 'whole' ? joined : x, 3, 1)
        const target = written === 'part' ? x : written === 'whole' ? joined : look
        net.call('add_', target, new Double(5), 1)
        return [joined, x, y, look]
      })
  })

  it('holds concatenations of concatenations, as in DenseNet', () => {
    for (const growth of [4, 16])
      expectSame((net) => {
        const features = [net.convolution(net.image(3), 3, 16)]
        let width = 16
        for (let layer = 0; layer < 4; layer++) {
          const joined = net.call('cat', features, 1)
          const one = net.convolution(net.call('relu', joined), width, 16)
          features.push(net.convolution(net.call('relu', one), 16, growth, 3))
          width += growth
        }
        return [net.call('cat', [net.call('cat', features, 1), features[1]!], 1)]
      })
  })

  it('shows in views what is written through other views', () => {
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 20)
      const [left, right] = net.unpack('chunk', 2, x, 2, 1)
      net.call('relu_', left!)
      const both = net.call('cat', [right!, left!], 1)
      net.call('mul_', right!, 3)
      return [both, x, net.convolution(x, 20, 4)]
    })
    expectSame((net) => {
      const x = net.convolution(net.image(16), 16, 20)
      const rows = net.call('permute', x, [0, 2, 3, 1])
      net.call('add_', net.call('select', rows, 1, 2), new Double(1), 1)
      return [net.convolution(x, 20, 4), rows]
    })
  })

  it('gives outputs that are inputs, constants or views of one another', () => {
    expectSame((net) => {
      const x = net.image(4)
      const y = net.convolution(x, 4, 4)
      const constant = net.constant(noise([2, 2], 9))
      const look = net.call('select', y, 1, 1)
      return [x, y, look, net.call('transpose', look, 1, 2), constant, y, net.call('select', x, 1, 0)]
    })
  })

  it('never shows through, in random nets of shared parts', () => {
    const act = fc.record({
      op: fc.constantFrom(
        ...[
          'conv',
          'conv',
          'conv3',
          'add',
          'relu',
          'sigmoid',
          'cat',
          'pool',
          'relu_',
          'chunk',
          'mul',
          'shuffle',
        ],
      ),
      a: fc.nat(),
      b: fc.nat(),
    })
    fc.assert(
      fc.property(fc.array(act, { minLength: 2, maxLength: 14 }), fc.constantFrom(4, 16), (acts, width) => {
        expectSame((net) => randomNet(net, acts, width), toleranceOfChains)
      }),
      { numRuns: 300 },
    )
  })
})

interface Act {
  readonly op: string
  readonly a: number
  readonly b: number
}

/** Every value has the same sizes, so that any two can be joined. */
function randomNet(net: Net, acts: readonly Act[], width: number): readonly Value[] {
  const values = [net.convolution(net.image(width), width, width), net.image(width)]
  const pick = (n: number): Value => values[values.length - 1 - (n % Math.min(values.length, 4))]!
  for (const { op, a, b } of acts) values.push(...step(net, op, pick(a), pick(b), width))
  return [values.at(-1)!, values[2] ?? values[0]!]
}

function step(net: Net, op: string, x: Value, y: Value, width: number): readonly Value[] {
  switch (op) {
    case 'conv':
      return [net.convolution(x, width, width)]
    case 'conv3':
      return [net.call('relu', net.convolution(x, width, width, 3))]
    case 'add':
      return [net.add(net.convolution(x, width, width), y)]
    case 'mul':
      return [net.call('mul', x, net.call('sigmoid', y))]
    case 'cat':
      return [net.convolution(net.call('cat', [x, y], 1), 2 * width, width)]
    case 'pool':
      return [net.call('max_pool2d', x, [3, 3], [1, 1], [1, 1], [1, 1], false)]
    case 'relu_':
      return [net.call('relu_', net.call('add', x, y, 1))]
    case 'chunk': {
      const [left, right] = net.unpack('chunk', 2, x, 2, 1)
      return [net.call('cat', [right!, net.call('relu', left!)], 1)]
    }
    case 'shuffle': {
      const split = net.call('view', net.call('contiguous', x, 0), [1, 2, width / 2, edge, edge])
      return [net.call('reshape', net.call('transpose', split, 1, 2), [1, width, edge, edge])]
    }
    default:
      return [net.call(op, x)]
  }
}
