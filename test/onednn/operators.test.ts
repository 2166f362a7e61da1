import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/ir/graph.ts'
import { Double, List } from '../../src/ir/ivalue.ts'
import { FloatT } from '../../src/ir/types.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { differenceFromInterpreter, GraphBuilder, oneDnn, runPlanned } from '../support/session-graphs.ts'

/** Of the largest element: float32 sums of a few hundred products, and the library's own exp, erf and tanh. */
const tolerance = 1e-5

type Build = (builder: GraphBuilder, x: (...sizes: readonly number[]) => Value) => Value | readonly Value[]

function difference(build: Build): string | undefined {
  const builder = new GraphBuilder()
  let seed = 1
  const result = build(builder, (...sizes) => builder.input(noise(sizes, seed++)))
  builder.output(...(Array.isArray(result) ? (result as readonly Value[]) : [result as Value]))
  return differenceFromInterpreter(builder, oneDnn!, tolerance)
}

/** A tensor in a blocked layout, as a convolution leaves it. */
function blocked(b: GraphBuilder, x: Value, inputs: number, outputs: number): Value {
  return b.call('conv2d', x, b.constant(noise([outputs, inputs, 1, 1], 7)), null, [1, 1], [0, 0], [1, 1], 1)
}

const f = (value: number): Double => new Double(value)

const cases: Readonly<Record<string, Build>> = {
  'softmax over every dimension': (b, x) => {
    const y = blocked(b, x(2, 3, 4, 5), 3, 17)
    return [0, 1, 2, 3, -1].map((dim) => b.call('softmax', y, dim, null))
  },
  'log_softmax of rows': (b, x) => b.call('log_softmax', x(3, 11), 1, null),
  'softmax of a look': (b, x) => b.call('softmax', b.call('transpose', x(3, 4, 5), 0, 2), 1, null),
  'softmax to float64': (b, x) => b.call('softmax', x(3, 11), 1, 7),
  'layer norm with scale and shift': (b, x) =>
    b.call(
      'layer_norm',
      x(2, 5, 12),
      [12],
      b.constant(noise([12], 3)),
      b.constant(noise([12], 4)),
      f(1e-5),
      true,
    ),
  'layer norm without': (b, x) => b.call('layer_norm', x(2, 5, 12), [12], null, null, f(1e-5), true),
  'layer norm over two dimensions': (b, x) =>
    b.call('layer_norm', x(2, 5, 12), [5, 12], null, null, f(1e-5), true),
  'layer norm of channels': (b, x) => {
    const rows = b.call('permute', blocked(b, x(2, 3, 4, 5), 3, 17), [0, 2, 3, 1])
    const y = b.call('layer_norm', rows, [17], b.constant(noise([17], 3)), null, f(1e-6), true)
    return blocked(b, b.call('permute', y, [0, 3, 1, 2]), 17, 4)
  },
  'batch norm of blocked channels that are no multiple of 16': (b, x) => {
    const y = norm(b, blocked(b, x(2, 3, 4, 5), 3, 17), 17)
    return blocked(b, b.call('relu', y), 17, 4)
  },
  'batch norm, another function behind it': (b, x) => b.call('sigmoid', norm(b, x(2, 5, 4), 5)),
  'batch norm of rows': (b, x) => b.call('relu', norm(b, x(4, 5), 5)),
  'batch norm of an expanded image': (b, x) =>
    norm(b, b.call('expand', x(1, 5, 1, 1), [3, 5, 4, 4], false), 5),
  'batch norm of a slice': (b, x) => norm(b, b.call('slice', x(4, 8, 3, 3), 1, 1, 6, 1), 5),
  'adaptive pooling, even and uneven': (b, x) => {
    const y = blocked(b, x(2, 3, 6, 6), 3, 17)
    return [
      [1, 1],
      [2, 3],
      [4, 4],
      [6, 6],
    ].map((sizes) => b.call('adaptive_avg_pool2d', y, sizes))
  },
  'pooling without a batch': (b, x) =>
    b.call('max_pool2d', x(3, 6, 6), [2, 2], [2, 2], [0, 0], [1, 1], false),
  'pooling with another divisor': (b, x) =>
    b.call('avg_pool2d', x(1, 3, 6, 6), [2, 2], [2, 2], [0, 0], false, true, 3),
  'matmul of batches': (b, x) => b.call('matmul', x(2, 3, 4, 5), x(2, 3, 5, 6)),
  'matmul that broadcasts': (b, x) => [
    b.call('matmul', x(2, 3, 4, 5), x(1, 3, 5, 6)),
    b.call('matmul', x(2, 4, 5), x(5, 6)),
    b.call('matmul', x(5), x(5)),
    b.call('matmul', x(4, 5), x(5)),
  ],
  'matmul of looks': (b, x) => [
    b.call('matmul', b.call('transpose', x(2, 5, 4), 1, 2), x(2, 5, 6)),
    b.call('bmm', x(2, 4, 5), b.call('transpose', x(2, 6, 5), 1, 2)),
    b.call('mm', b.call('slice', x(4, 10), 1, 0, 10, 2), x(5, 6)),
    b.call('mm', b.call('expand', x(1, 5), [4, 5], false), x(5, 6)),
  ],
  'matmul with a constant on either side': (b, x) => [
    b.call('matmul', x(4, 5), b.constant(noise([5, 6], 3))),
    b.call('matmul', b.constant(noise([6, 4], 3)), x(4, 5)),
  ],
  'matmul and what follows': (b, x) =>
    b.call('gelu', b.call('add', b.call('matmul', x(2, 4, 5), x(2, 5, 6)), x(2, 4, 6), 1), 'none'),
  'matmul times a number plus a row': (b, x) =>
    b.call('add', b.call('mul', b.call('matmul', x(4, 5), x(5, 6)), f(0.125)), x(6), 1),
  'linear of rows, batches, and one row': (b, x) => {
    const [w, bias] = [b.constant(noise([7, 5], 3)), b.constant(noise([7], 4))]
    return [x(4, 5), x(2, 3, 5), x(5), b.call('transpose', x(5, 4), 0, 1)].map((y) =>
      b.call('relu', b.call('linear', y, w, bias)),
    )
  },
  'linear with a computed weight': (b, x) => b.call('linear', x(4, 5), b.call('relu', x(7, 5)), x(7)),
  'linear added to what came in, twice': (b, x) => {
    const y = b.call('relu', x(2, 3, 5))
    const z = b.call('add', y, b.call('linear', y, b.constant(noise([5, 5], 3)), null), 1)
    return [b.call('add', b.call('linear', z, b.constant(noise([5, 5], 5)), null), z, 1), z]
  },
  'addmm, plain and scaled': (b, x) => [
    b.call('addmm', b.constant(noise([6], 3)), x(4, 5), x(5, 6), 1, 1),
    b.call('addmm', x(4, 6), x(4, 5), x(5, 6), 1, 1),
    b.call('addmm', x(6), x(4, 5), x(5, 6), f(0.5), 2),
  ],
  'reductions, kept or not, over some or all': (b, x) => {
    const y = blocked(b, x(2, 3, 4, 5), 3, 17)
    return [
      b.call('mean', y, [2, 3], true, null),
      b.call('mean', y, [-1, -2], false, null),
      b.call('sum', y, [1], false, null),
      b.call('mean', y, [1], true, null),
      b.call('mean', y, null),
      b.call('sum', y, [0, 1, 2, 3], false, null),
      b.call('mean', y, [2, 3], true, 7),
    ]
  },
  'nearest resampling': (b, x) => {
    const y = blocked(b, x(2, 3, 4, 6), 3, 17)
    return [
      b.call('upsample_nearest2d', y, [8, 12], null, null),
      b.call('upsample_nearest2d', y, [7, 9], null, null),
      b.call('upsample_nearest2d', y, [8, 12], f(2), f(2)),
      b.call('upsample_nearest2d', y, [8, 12], f(2.2), f(2.1)),
      b.call('upsample_nearest2d', y, null, new List([f(2.2), f(2.1)], FloatT)),
    ]
  },
  'bilinear resampling': (b, x) => {
    const y = blocked(b, x(2, 3, 4, 6), 3, 17)
    return [
      b.call('upsample_bilinear2d', y, [8, 12], false, null, null),
      b.call('upsample_bilinear2d', y, [7, 9], false, null, null),
      b.call('upsample_bilinear2d', y, [3, 2], false, null, null),
      b.call('upsample_bilinear2d', y, [8, 12], true, null, null),
      b.call('upsample_bilinear2d', y, [8, 12], false, f(2.2), f(2.1)),
      b.call('upsample_bilinear2d', y, null, false, new List([f(2.2), f(1.7)], FloatT)),
    ]
  },
  'arithmetic that broadcasts either way': (b, x) => {
    const y = blocked(b, x(2, 3, 4, 5), 3, 17)
    const gate = b.call('sigmoid', b.call('mean', y, [2, 3], true, null))
    return [
      b.call('mul', gate, y),
      b.call('mul', y, gate),
      b.call('sub', gate, y, 1),
      b.call('add', x(5), y, 1),
      b.call('add', y, x(4, 1), 2),
      b.call('div', y, b.call('exp', gate)),
      b.call('add', x(3, 1), x(1, 4), 1),
      b.call('mul', y, b.call('expand', x(1, 17, 1, 1), [2, 17, 4, 5], false)),
      b.call('div', y, b.call('exp', y)),
      blocked(b, b.call('div', b.call('exp', y), b.call('exp', y)), 17, 3),
    ]
  },
  scalars: (b, x) => {
    const sum = b.call('sum', x(3, 4), null)
    return [
      b.call('sigmoid', sum),
      b.call('add', sum, sum, 1),
      b.call('mul', x(3, 4), sum),
      b.call('relu', b.call('select', x(3), 0, 1)),
    ]
  },
  'functions of looks': (b, x) => {
    const y = x(2, 6, 4, 5)
    return [
      b.call('relu', b.call('permute', y, [0, 2, 3, 1])),
      b.call('sigmoid', b.call('select', y, 1, 2)),
      b.call('tanh', b.call('slice', y, 1, 1, 5, 2)),
      b.call('relu', b.call('expand', x(1, 3), [4, 3], false)),
      b.call('gelu', b.call('unsqueeze', b.call('transpose', y, 2, 3), 0), 'none'),
      ...b.unpack('chunk', 3, b.call('exp', y), 3, 1).map((part) => b.call('neg', part)),
      b.call('flatten', b.call('permute', y, [0, 3, 1, 2]), 1, -1),
      b.call('contiguous', b.call('permute', y, [0, 2, 3, 1]), 0),
      b.call('reshape', blocked(b, y, 6, 17), [2, -1]),
      b.call('clone', b.call('permute', y, [3, 2, 1, 0]), null),
    ]
  },
  'joined looks of several layouts': (b, x) => {
    const y = blocked(b, x(1, 3, 4, 5), 3, 16)
    const parts = [y, b.call('slice', x(1, 16, 4, 5), 1, 0, 8, 1), b.constant(noise([1, 4, 4, 5], 9))]
    return [
      b.call('cat', parts, 1),
      b.call('cat', [y, x(1, 16, 4, 5)], -1),
      b.call('cat', [x(0), x(3)], 0),
      b.call('stack', [y, y], 1),
    ]
  },
  clamps: (b, x) => [
    b.call('clamp', x(9), f(-0.5), f(0.5)),
    b.call('clamp', x(9), f(0.5), f(-0.5)),
    b.call('clamp', x(9), null, f(0.5)),
    b.call('clamp_min', b.call('div', x(9), 0), 0),
    b.call('hardtanh', b.call('mul', x(9), 3), f(-1), f(1)),
  ],
  'self-attention': (b, x) => {
    const parts = [
      b.constant(noise([24, 8], 2)),
      b.constant(noise([24], 3)),
      b.constant(noise([8, 8], 4)),
      b.constant(noise([8], 5)),
    ]
    const y = x(2, 5, 8)
    return b.calls(
      '_native_multi_head_attention',
      [{ kind: 'Tensor' }, { kind: 'Tensor' }],
      ...[y, y, y, 8, 2, ...parts],
      null,
      false,
      true,
      null,
    )[0]!
  },
}

function norm(b: GraphBuilder, x: Value, channels: number): Value {
  const vector = (seed: number): Value => b.constant(noise([channels], seed, 0.5, 2))
  return b.call('batch_norm', x, vector(11), vector(12), vector(13), vector(14), false, f(0.1), f(1e-3), true)
}

describe.skipIf(oneDnn === undefined)('operators on oneDNN answer as the interpreter', () => {
  it.each(Object.keys(cases))('%s', (name) => {
    expect(difference(cases[name]!)).toBeUndefined()
  })

  it('pooling of every geometry', () => {
    const geometry = fc.record({
      op: fc.constantFrom('max', 'avg'),
      spatial: fc.constantFrom(1, 2, 2, 3),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.constantFrom(0, 1),
      dilation: fc.constantFrom(1, 1, 2),
      ceil: fc.boolean(),
      count: fc.boolean(),
      edge: fc.integer({ min: 5, max: 9 }),
      channels: fc.constantFrom(1, 3, 16, 17),
    })
    fc.assert(
      fc.property(
        geometry,
        ({ op, spatial, kernel, stride, dilation, ceil, count, edge, channels, ...one }) => {
          const padding = Math.min(one.padding, Math.floor(kernel / 2))
          const per = (value: number): number[] => new Array<number>(spatial).fill(value)
          const build: Build = (b, x) =>
            b.call(
              `${op}_pool${spatial}d`,
              ...[x(2, channels, ...per(edge)), per(kernel), per(stride), per(padding)],
              ...(op === 'max' ? [per(dilation), ceil] : [ceil, count]),
              ...(op === 'avg' && spatial > 1 ? [null] : []),
            )
          expect(difference(build)).toBeUndefined()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('dtypes that the library does not know, node by node', () => {
    const builder = new GraphBuilder()
    const doubles = builder.input(Tensor.from('float64', [2, 3], [1, 2, 3, 4, 5, 6]))
    const longs = builder.input(Tensor.from('int64', [2], [1, 0]))
    const bools = builder.input(Tensor.from('bool', [3], [1, 0, 1]))
    const table = builder.constant(noise([4, 5], 3))
    const rows = builder.call('embedding', table, longs, -1, false, false)
    const kept = builder.call('where', bools, builder.call('relu', doubles), builder.call('neg', doubles))
    builder.output(
      builder.call('relu', rows),
      kept,
      builder.call('add', longs, longs, 1),
      builder.call('logical_not', bools),
    )
    expect(differenceFromInterpreter(builder, oneDnn!, tolerance)).toBeUndefined()
    const { steps, interpreted } = runPlanned(builder.graph, builder.inputs, oneDnn!)
    expect(interpreted).toEqual([])
    expect(steps.find(({ nodes }) => nodes === 'aten::embedding')?.reason).toBe(
      'the library has no such operator',
    )
    expect(steps.find(({ nodes }) => nodes === 'aten::neg')?.reason).toBe('no kernel for its dtypes')
  })

  it('tensors without elements', () => {
    const empty: Build = (b, x) => [
      b.call('relu', x(0, 3)),
      blocked(b, x(0, 3, 4, 4), 3, 16),
      b.call('linear', x(0, 5), b.constant(noise([7, 5], 3)), null),
      b.call('cat', [x(0, 3), x(2, 3)], 0),
      b.call('sum', x(0, 3), [0], false, null),
      b.call('matmul', x(3, 0), x(0, 4)),
    ]
    expect(difference(empty)).toBeUndefined()
  })

  it('lists that are computed at once', () => {
    const grid: Build = (b, x) => b.unpack('meshgrid', 2, [b.call('relu', x(3)), x(4)])
    expect(difference(grid)).toBeUndefined()
    const split: Build = (b, x) =>
      b.unpack('split_with_sizes', 2, b.call('relu', x(5, 2)), [2, 3], 0).map((y) => b.call('neg', y))
    expect(difference(split)).toBeUndefined()
  })
})
