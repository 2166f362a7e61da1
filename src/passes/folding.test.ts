import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arithmetic,
  batchNorms,
  buildGraph,
  inputOf,
  layers,
  type FoldingSpec,
  type Step,
} from '../../test/support/folding-graphs.ts'
import type { Graph } from '../ir/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { runGraph } from '../runtime/interpreter.ts'
import { runPasses } from './pass-manager.ts'
import { inferencePipeline, numericsPipeline } from './pipelines.ts'
import type { PipelineStep } from './pass.ts'
import { elementsOf } from './support/fold-tensors.ts'

/** Half the distance between neighbouring numbers around 1: what rounding once can cost. */
const roundoff: Partial<Record<DType, number>> = { bfloat16: 2 ** -9, float32: 2 ** -24, float64: 2 ** -53 }

function run(graph: Graph, x: Tensor): Tensor {
  const [result] = runGraph(graph, [x])
  if (result instanceof Tensor) return result
  throw new TypeError('the graph gave no tensor')
}

/**
 * Every operator rounds once, `alpha` times a constant once more, and folding rounds the weights once per operator:
 * with k operators besides the layer, eager is off by at most 2k + 1 roundings of a number no larger than the sum of
 * magnitudes, and so is the folded graph with k + 1.
 */
function expectSame(spec: FoldingSpec, steps: readonly PipelineStep[]): Graph {
  const graph = buildGraph(spec)
  const want = run(graph, inputOf(spec))
  runPasses(graph, steps, { verify: true })
  const got = run(graph, inputOf(spec))
  expect([got.dtype, got.sizes]).toEqual([want.dtype, want.sizes])
  const magnitudes = elementsOf(run(buildGraph(spec, true), inputOf(spec, true)))
  const count = 3 * (spec.before.length + spec.after.length) + 2
  const wanted = elementsOf(want)
  for (const [i, value] of elementsOf(got).entries()) {
    const tolerance = count * (roundoff[spec.dtype] ?? 0) * (magnitudes[i] as number)
    expect(Math.abs(value - (wanted[i] as number)), `element ${i}`).toBeLessThanOrEqual(tolerance)
  }
  return graph
}

function kindsOf(graph: Graph): string[] {
  return [...graph.nodes()].map((node) => node.kind).filter((kind) => kind !== 'prim::Constant')
}

const dtypes = fc.constantFrom(
  { dtype: 'float32', statistics: 'float32' } as const,
  { dtype: 'float64', statistics: 'float64' } as const,
  { dtype: 'bfloat16', statistics: 'bfloat16' } as const,
  { dtype: 'bfloat16', statistics: 'float32' } as const,
)

const convolutionSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(batchNorms, arithmetic(['int', 'float', 'scalar', 'channels', 'batched channels'])),
  { maxLength: 4 },
)

describe('folding', () => {
  it('leaves of a convolution and what follows it the convolution, with the same result', () => {
    fc.assert(
      fc.property(layers, convolutionSteps, dtypes, (layer, after, types) => {
        const spec: FoldingSpec = { ...types, before: [], layer, after, rows: [] }
        const graph = expectSame(spec, numericsPipeline)
        expect(kindsOf(graph)).toEqual([`aten::${layer.kind.replace('transposed ', '')}`])
      }),
      { numRuns: 150 },
    )
  })

  it('gives the same with a batch norm in front of the convolution, folded or not', () => {
    fc.assert(
      fc.property(layers, batchNorms, convolutionSteps, dtypes, (layer, norm, after, types) => {
        const spec: FoldingSpec = { ...types, before: [norm], layer, after, rows: [] }
        const graph = expectSame(spec, numericsPipeline)
        const pads = layer.padding > 0 || layer.kind.includes('transpose')
        expect(kindsOf(graph)).toHaveLength(pads ? 2 : 1)
      }),
      { numRuns: 80 },
    )
  })

  it('leaves of a linear layer and what follows it the layer, with the same result', () => {
    const rows = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 })
    const steps = fc.array(arithmetic(['int', 'float', 'scalar', 'channels']), { maxLength: 4 })
    fc.assert(
      fc.property(fc.boolean(), rows, steps, batchNorms, dtypes, (hasBias, size, after, norm, types) => {
        const layer = { kind: 'linear', spatial: 0, groups: 1, hasBias, padding: 0 }
        const norms = size.length === 1 ? [norm] : []
        const spec: FoldingSpec = { ...types, before: [], layer, after: [...norms, ...after], rows: size }
        expect(kindsOf(expectSame(spec, numericsPipeline))).toEqual(['aten::linear'])
      }),
      { numRuns: 150 },
    )
  })

  it('gives the same after preparing for inference, where numbers of dimensions are known', () => {
    const steps = fc.array(fc.oneof(batchNorms, arithmetic(['int', 'float', 'scalar'])), { maxLength: 4 })
    fc.assert(
      fc.property(layers, steps, fc.constantFrom('float32', 'float64'), (layer, after, dtype) => {
        const spec: FoldingSpec = { dtype, statistics: dtype, before: [], layer, after, rows: [] }
        expect(kindsOf(expectSame(spec, inferencePipeline))).not.toContain('aten::batch_norm')
      }),
      { numRuns: 60 },
    )
  })
})
