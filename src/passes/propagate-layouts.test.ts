import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { printGraph } from '../ir/graph-printer.ts'
import type { Graph } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { verifyGraph } from '../ir/verifier.ts'
import { findOperator } from '../ops/index.ts'
import { runGraph } from '../runtime/interpreter.ts'
import { constantPropagation } from './constant-propagation.ts'
import { insertReorders } from './insert-reorders.ts'
import { runPasses } from './pass-manager.ts'
import { propagateLayouts } from './propagate-layouts.ts'
import { blockedTarget } from './support/blocked-target.ts'
import { valuesEqual } from './support/node-identity.ts'

const target = blockedTarget(4)
const shape = (channels: number, size = 3): string =>
  `Float(1, ${channels}, ${size}, ${size}, strides=[${size * size * channels}, ${size * size}, ${size}, 1], requires_grad=0, device=cpu)`

/** Statements that each add a tensor of four channels, from some that are there. */
type Statement = (name: string, pick: (n: number) => string) => string

const statements: Readonly<Record<string, Statement>> = {
  conv: (y, pick) => `%${y} : ${shape(4)} = aten::conv2d(%${pick(0)}, %w4, %none, %ones, %ones, %ones, %one)`,
  relu: (y, pick) => `%${y} : ${shape(4)} = aten::relu(%${pick(0)})`,
  add: (y, pick) => `%${y} : ${shape(4)} = aten::add(%${pick(0)}, %${pick(1)}, %one)`,
  scale: (y, pick) => `%${y} : ${shape(4)} = aten::mul(%${pick(0)}, %perChannel)`,
  pool: (y, pick) =>
    `%${y} : ${shape(4)} = aten::max_pool2d(%${pick(0)}, %threes, %ones, %ones, %ones, %false)`,
  flip: (y, pick) => `%${y} : ${shape(4)} = aten::flip(%${pick(0)}, %one1)`,
  concatenate: (y, pick) =>
    `%${y}l : Tensor[] = prim::ListConstruct(%${pick(0)}, %${pick(1)})
     %${y}c : ${shape(8)} = aten::cat(%${y}l, %one)
     %${y} : ${shape(4)} = aten::conv2d(%${y}c, %w8, %none, %ones, %ones, %ones, %one)`,
  excite: (y, pick) =>
    `%${y}p : ${shape(4, 1)} = aten::adaptive_avg_pool2d(%${pick(0)}, %ones)
     %${y}q : ${shape(4, 1)} = aten::adaptive_avg_pool2d(%${pick(1)}, %ones)
     %${y}l : Tensor[] = prim::ListConstruct(%${y}p, %${y}q)
     %${y}j : ${shape(8, 1)} = aten::cat(%${y}l, %one)
     %${y}e : ${shape(4, 1)} = aten::conv2d(%${y}j, %w8, %none, %ones, %ones, %ones, %one)
     %${y} : ${shape(4)} = aten::mul(%${y}e, %${pick(2)})`,
  write: (y, pick) => `%${y} : ${shape(4)} = aten::relu_(%${pick(0)})`,
  branch: (y, pick) =>
    `%${y} : ${shape(4)} = prim::If(%c)
       block0():
         %${y}a : ${shape(4)} = aten::conv2d(%${pick(0)}, %w4, %none, %ones, %ones, %ones, %one)
         %${y}b : ${shape(4)} = aten::relu(%${y}a)
         -> (%${y}b)
       block1():
         %${y}d : ${shape(4)} = aten::add(%${pick(1)}, %${pick(2)}, %one)
         -> (%${y}d)`,
  repeat: (y, pick) =>
    `%${y} : ${shape(4)} = prim::Loop(%two, %true, %${pick(0)})
       block0(%${y}i : int, %${y}x : ${shape(4)}):
         %${y}a : ${shape(4)} = aten::conv2d(%${y}x, %w4, %none, %ones, %ones, %ones, %one)
         %${y}b : ${shape(4)} = aten::add(%${y}a, %${pick(1)}, %one)
         -> (%true, %${y}b)`,
}

const drawn = fc.record({
  nodes: fc.array(
    fc.tuple(fc.constantFrom(...Object.keys(statements)), fc.array(fc.nat(), { minLength: 3, maxLength: 3 })),
    { minLength: 1, maxLength: 12 },
  ),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
})

function textOf({ nodes, outputs }: { nodes: [string, number[]][]; outputs: number[] }): string {
  const names = ['x', 'z']
  const lines = nodes.map(([kind, picks], i) => {
    const line = statements[kind]!(`v${i}`, (n) => names[picks[n]! % names.length]!)
    names.push(`v${i}`)
    return `  ${line}`
  })
  const results = [names.at(-1)!, ...outputs.map((output) => names[output % names.length]!)]
  const weight = (channels: number): string =>
    `Float(4, ${channels}, 3, 3, strides=[${9 * channels}, 9, 3, 1], requires_grad=0, device=cpu)`
  return `graph(%x : ${shape(4)}, %z : ${shape(4)}, %w4 : ${weight(4)}, %w8 : ${weight(8)}, %perChannel : Float(4, 1, 1, strides=[1, 1, 1], requires_grad=0, device=cpu), %c : bool):
  %one : int = prim::Constant[value=1]()
  %two : int = prim::Constant[value=2]()
  %true : bool = prim::Constant[value=1]()
  %false : bool = prim::Constant[value=0]()
  %one1 : int[] = prim::Constant[value=[1]]()
  %ones : int[] = prim::Constant[value=[1, 1]]()
  %threes : int[] = prim::Constant[value=[3, 3]]()
  %none : Tensor? = prim::Constant()
${lines.join('\n')}
  return (${results.map((name) => `%${name}`).join(', ')})`
}

/** What comes out, what has become of the inputs, and how many reorders of activations were executed on the way. */
function execute(graph: Graph, condition: boolean): { values: IValue[]; reorders: number } {
  const inputs = [
    ...[
      [1, 4, 3, 3],
      [1, 4, 3, 3],
      [4, 4, 3, 3],
      [4, 8, 3, 3],
      [4, 1, 1],
    ].map((sizes, i) => noise(sizes, i)),
    condition,
  ]
  const operator = findOperator('layout::reorder')!
  const bind = operator.bind!.bind(operator)
  let reorders = 0
  vi.spyOn(operator, 'bind').mockImplementation((node) => {
    const evaluate = bind(node)
    const isActivation = node.stringAttribute('to').startsWith('n')
    return (args, context) => {
      if (isActivation) reorders++
      return evaluate(args, context)
    }
  })
  const values = [...runGraph(graph, inputs), ...inputs]
  vi.restoreAllMocks()
  return { values, reorders }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('propagate-layouts', () => {
  it('changes no result and executes no reorder more, on no path of any graph', () => {
    let [before, after] = [0, 0]
    fc.assert(
      fc.property(drawn, (graphDrawn) => {
        const text = textOf(graphDrawn)
        const plain = parseGraph(text)
        const inserted = parseGraph(text)
        insertReorders(inserted, target)
        const propagated = parseGraph(printGraph(inserted))
        propagateLayouts(propagated, target)
        verifyGraph(propagated)
        for (const condition of [false, true]) {
          const runs = [plain, inserted, propagated].map((graph) => execute(graph, condition))
          const [expected, atFirst, atLast] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]]
          for (const run of [atFirst, atLast])
            run.values.forEach((value, i) => expect(valuesEqual(value, expected.values[i]!)).toBe(true))
          expect(atLast.reorders).toBeLessThanOrEqual(atFirst.reorders)
          before += atFirst.reorders
          after += atLast.reorders
        }
      }),
      { numRuns: 100 },
    )
    expect(after).toBeLessThan(0.9 * before)
  })

  it('has nothing left to do when it is run again', () => {
    fc.assert(
      fc.property(drawn, (graphDrawn) => {
        const graph = parseGraph(textOf(graphDrawn))
        insertReorders(graph, target)
        propagateLayouts(graph, target)
        const once = printGraph(graph)
        propagateLayouts(graph, target)
        expect(printGraph(graph)).toBe(once)
      }),
    )
  })

  it('reorders the constants that it lifts at once, when constants are propagated after it', () => {
    const graph = parseGraph(`graph(%x : ${shape(4)}, %w : Float(4, 4, 1, 1, strides=[4, 1, 1, 1])):
  %one : int = prim::Constant[value=1]()
  %ones : int[] = prim::Constant[value=[1, 1]]()
  %zeros : int[] = prim::Constant[value=[0, 0]]()
  %none : Tensor? = prim::Constant()
  %offset : ${shape(4)} = prim::Constant[value=<Tensor>]()
  %a : ${shape(4)} = aten::conv2d(%x, %w, %none, %ones, %zeros, %ones, %one)
  %b : ${shape(4)} = aten::add(%a, %offset, %one)
  %c : ${shape(4)} = aten::conv2d(%b, %w, %none, %ones, %zeros, %ones, %one)
  return (%c)`)
    insertReorders(graph, target)
    propagateLayouts(graph, target)
    runPasses(graph, [constantPropagation])
    const [sum] = [...graph.nodes('aten::add')]
    expect(sum?.input(1).node.kind).toBe('prim::Constant')
    expect(sum?.input(1).debugName).toBe('offset.packed')
  })
})
