import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CountedGraph, inputsOf, type FlowInputs } from '../../test/support/counted-runs.ts'
import { countPaths, optimalEvaluations, tooManyPaths } from '../../test/support/optimal-placement.ts'
import { flowText } from '../../test/support/random-flow.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { printGraph } from '../ir/graph-printer.ts'
import type { Graph, Node } from '../ir/graph.ts'
import { reorderKind } from '../ir/layout-attribute.ts'
import {
  eliminatePartialRedundancyOf,
  eliminatePartialRedundancyPass,
} from './eliminate-partial-redundancy.ts'
import { runPasses } from './pass-manager.ts'
import type { Pass } from './pass.ts'

/** For a longer search: `PERMAFROST_MOTION_RUNS=100000`. */
const numRuns = Number(process.env['PERMAFROST_MOTION_RUNS'] ?? 1000)

const isArithmetic = (node: Node): boolean => node.kind === 'aten::neg' || node.kind === 'aten::mul'
const ofArithmetic = eliminatePartialRedundancyOf(isArithmetic)
const isReorder = (node: Node): boolean => node.kind === reorderKind

function rewritten(text: string, pass: Pass): { before: Graph; after: Graph; rewrites: number } {
  const after = parseGraph(text)
  const [stats] = runPasses(after, [pass], { verify: true })
  return { before: parseGraph(text), after, rewrites: stats?.rewrites ?? 0 }
}

/** Runs `check`; what it throws tells the graphs, to be pasted in as a case. */
function checkRun(text: string, after: Graph, inputs: FlowInputs, check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new Error(`for ${inputs.join()}\n${text}\n==>\n${printGraph(after)}`, { cause })
  }
}

describe('eliminate-partial-redundancy on random graphs', () => {
  const timeout = 60_000 + 10 * numRuns

  it.each([
    ['any', isArithmetic, ofArithmetic],
    ['reorders', isReorder, eliminatePartialRedundancyPass],
  ] as const)(
    'keeps the results, and computes no more on any path: %s',
    { timeout },
    (kind, isCounted, pass) => {
      let changed = 0
      fc.assert(
        fc.property(fc.integer({ min: 0 }), (seed) => {
          const text = flowText(seed, kind)
          const { before, after, rewrites } = rewritten(text, pass)
          if (rewrites > 0) changed++
          const old = new CountedGraph(before, isCounted)
          const now = new CountedGraph(after, isCounted)
          for (const inputs of inputsOf(seed)) {
            const expected = old.run(inputs)
            const got = now.run(inputs)
            checkRun(text, after, inputs, () => {
              expect(got.outputs).toEqual(expected.outputs)
              expect(got.evaluations).toBeLessThanOrEqual(expected.evaluations)
            })
          }
        }),
        { numRuns },
      )
      expect(changed).toBeGreaterThan(numRuns / 4)
    },
  )

  it('computes no more on any path than the best safe placement', { timeout }, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const text = flowText(seed, 'acyclic')
        const { before, after } = rewritten(text, ofArithmetic)
        if (countPaths(before.block) > tooManyPaths) return
        const now = new CountedGraph(after, isArithmetic)
        for (const inputs of inputsOf(seed))
          checkRun(text, after, inputs, () => {
            const optimum = optimalEvaluations(before, inputs, isArithmetic)
            expect(now.run(inputs).evaluations).toBeLessThanOrEqual(optimum)
          })
      }),
      { numRuns: numRuns / 4 },
    )
  })

  it('finds nothing more to do when it is run again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const { after } = rewritten(flowText(seed), ofArithmetic)
        const text = printGraph(after)
        runPasses(after, [ofArithmetic], { verify: true })
        expect(printGraph(after)).toBe(text)
      }),
      { numRuns: numRuns / 8 },
    )
  })
})

describe('eliminate-partial-redundancy on a long graph', () => {
  it('takes thousands of conditions in a row', () => {
    const branches = Array.from({ length: 3000 }, (_, i) => [
      `  %y${i} : Tensor = prim::If(%c)`,
      '    block0():',
      `      %a${i} : Tensor = layout::reorder[to="aB8b"](%x)`,
      `      %r${i} : Tensor = aten::relu(%a${i})`,
      `      -> (%r${i})`,
      '    block1():',
      '      -> (%x)',
    ])
    const result =
      '  %b : Tensor = layout::reorder[to="aB8b"](%x)\n  %z : Tensor = aten::neg(%b)\n  return (%z, %y0)'
    const graph = parseGraph(['graph(%x : Tensor, %c : bool):', ...branches.flat(), result].join('\n'))
    runPasses(graph, [eliminatePartialRedundancyPass], { verify: true })
    const left = [...graph.nodes(reorderKind)]
    expect(left.length).toBeLessThanOrEqual(2)
  })
})
