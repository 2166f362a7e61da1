import { describe, expect, it } from 'vitest'
import { Graph } from '../ir/graph.ts'
import { attributeOf, GraphEditor } from '../ir/graph-editor.ts'
import { IntT, TensorT } from '../ir/types.ts'
import { eliminateDeadCodePass } from './eliminate-dead-code.ts'
import { runPasses } from './pass-manager.ts'
import { definePass, repeatPasses } from './pass.ts'

function threeConstants(): Graph {
  const graph = new Graph()
  const edit = new GraphEditor(graph)
  for (const value of [1, 2, 3]) edit.insertConstant(value, IntT)
  return graph
}

const addOne = definePass({
  name: 'add-one',
  summary: 'Adds one to every constant.',
  run(graph, cx) {
    for (const node of graph.nodes('prim::Constant')) {
      const value = node.attribute('value')
      if (value === 2) cx.miss(node, 'two stays')
      else
        cx.rewrite(node, 'one more', (edit) =>
          edit.setAttribute(node, 'value', attributeOf(Number(value) + 1)),
        )
    }
  },
})

const valuesOf = (graph: Graph): unknown[] => [...graph.nodes()].map((node) => node.attribute('value'))

describe('the pass manager', () => {
  it('counts rewrites, misses and nodes of each pass', () => {
    const graph = threeConstants()
    const stats = runPasses(graph, [addOne, eliminateDeadCodePass])
    expect(stats).toMatchObject([
      { name: 'add-one', rewrites: 2, misses: 1, nodesBefore: 3, nodesAfter: 3 },
      { name: 'eliminate-dead-code', rewrites: 3, misses: 0, nodesBefore: 3, nodesAfter: 0 },
    ])
  })

  it('reports every rewrite and miss with its reason', () => {
    const reasons: string[] = []
    runPasses(threeConstants(), [addOne], { onEvent: ({ kind, why }) => reasons.push(`${kind}: ${why}`) })
    expect(reasons).toEqual(['rewrite: one more', 'miss: two stays', 'rewrite: one more'])
  })

  it('stops after the given rewrite and runs nothing behind it', () => {
    const graph = threeConstants()
    const stats = runPasses(graph, [addOne, eliminateDeadCodePass], {
      stopAfter: { pass: 'add-one', changes: 1 },
    })
    expect(valuesOf(graph)).toEqual([2, 2, 3])
    expect(stats).toHaveLength(1)
  })

  it('counts the rewrites of a pass that stands twice in the list together', () => {
    const graph = threeConstants()
    runPasses(graph, [addOne, addOne], { stopAfter: { pass: 'add-one', changes: 3 } })
    expect(valuesOf(graph)).toEqual([2, 2, 5])
  })

  /** Counts the constants down to `floor`, by one at a time. */
  const countDown = (name: string, floor: number) =>
    definePass({
      name,
      summary: `Counts down to ${floor}.`,
      run(graph, cx) {
        for (const node of graph.nodes('prim::Constant'))
          if (Number(node.attribute('value')) > floor)
            cx.rewrite(node, 'one less', (edit) =>
              edit.setAttribute(node, 'value', attributeOf(Number(node.attribute('value')) - 1)),
            )
      },
    })

  it('repeats passes until a round changes nothing, and says what each run did', () => {
    const graph = threeConstants()
    const stats = runPasses(graph, [repeatPasses([countDown('a', 2), countDown('b', 1)])])
    expect(valuesOf(graph)).toEqual([1, 1, 1])
    expect(stats.map(({ name, rewrites }) => [name, rewrites])).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 0],
      ['b', 0],
    ])
  })

  it('ends repeating after so many rounds in any case', () => {
    const graph = threeConstants()
    runPasses(graph, [repeatPasses([countDown('a', -1000)], 3)])
    expect(valuesOf(graph)).toEqual([-2, -1, 0])
  })

  it('stops in the middle of a repetition, and leaves out passes of it', () => {
    const graph = threeConstants()
    const repeated = repeatPasses([countDown('a', 2), countDown('b', 0)])
    const stats = runPasses(graph, [repeated, addOne], { stopAfter: { pass: 'b', changes: 4 } })
    expect(valuesOf(graph)).toEqual([0, 0, 1])
    expect(stats.at(-1)?.name).toBe('b')
    expect(runPasses(threeConstants(), [repeated], { skip: ['b'] }).map(({ name }) => name)).toEqual([
      'a',
      'a',
    ])
  })

  it('leaves out passes by name', () => {
    const graph = threeConstants()
    expect(runPasses(graph, [addOne, eliminateDeadCodePass], { skip: ['add-one'] })).toHaveLength(1)
  })

  it('gives the graph after each pass to the hook, and takes times from the clock', () => {
    let time = 0
    const seen: [string, number][] = []
    runPasses(threeConstants(), [addOne], {
      now: () => (time += 5),
      afterPass: (stats) => seen.push([stats.name, stats.milliseconds]),
    })
    expect(seen).toEqual([['add-one', 5]])
  })

  it('refuses a list in which a needed pass is missing', () => {
    const needy = definePass({
      name: 'needy',
      summary: 'Needs another.',
      needs: ['add-one'],
      run: () => undefined,
    })
    expect(() => runPasses(threeConstants(), [needy])).toThrow('pass needy needs add-one in front of it')
    expect(() => runPasses(threeConstants(), [addOne, needy])).not.toThrow()
  })

  it('names the pass, the number of its changes and the next command when a pass breaks the graph', () => {
    const vandal = definePass({
      name: 'vandal',
      summary: 'Uses a value before it is there.',
      run(graph, cx) {
        for (const node of [...graph.nodes()])
          cx.rewrite(node, 'too early', (edit) =>
            edit.insert('aten::neg', [late(graph)], { outputs: [TensorT] }),
          )
      },
    })
    const late = (graph: Graph) => {
      const value = [...graph.nodes()].at(-1)?.output()
      if (value === undefined) throw new TypeError('no node')
      return value
    }
    expect(() => runPasses(threeConstants(), [vandal], { verify: true })).toThrow(
      'vandal broke the graph after 3 changes\n  rerun with --stop-after vandal=2',
    )
  })
})
