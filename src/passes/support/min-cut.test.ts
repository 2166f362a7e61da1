import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlowNetwork } from './min-cut.ts'

type Edge = readonly [from: number, to: number, capacity: number]

/** The cheapest of all divisions, found by trying each. */
function cheapest(nodes: number, edges: readonly Edge[]): number {
  let best = Infinity
  for (let sides = 0; sides < 2 ** nodes; sides++) {
    const isSource = (node: number): boolean => ((sides >> node) & 1) === 1
    if (!isSource(0) || isSource(1)) continue
    best = Math.min(best, costOf(edges, isSource))
  }
  return best
}

function costOf(edges: readonly Edge[], isSource: (node: number) => boolean): number {
  return edges.reduce((cost, [from, to, c]) => cost + (isSource(from) && !isSource(to) ? c : 0), 0)
}

const edges = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 })),
  { maxLength: 20 },
)

describe('a minimal cut', () => {
  it('costs as little as the cheapest of all divisions, and divides so', () => {
    fc.assert(
      fc.property(edges, (drawn) => {
        const network = new FlowNetwork()
        for (let i = 0; i < 7; i++) network.addNode()
        for (const [from, to, capacity] of drawn) network.addEdge(from, to, capacity)
        const { cost, isSourceSide } = network.minCut(0, 1)
        expect(cost).toBe(cheapest(7, drawn))
        expect(isSourceSide[0]).toBe(true)
        expect(isSourceSide[1]).toBe(false)
        expect(costOf(drawn, (node) => isSourceSide[node] === true)).toBe(cost)
      }),
    )
  })

  it('is found in a chain of any length, around edges that may not be cut', () => {
    const network = new FlowNetwork()
    const nodes = Array.from({ length: 20_000 }, () => network.addNode())
    for (let i = 1; i < nodes.length; i++) network.addEdge(i - 1, i, i === 777 ? 3 : Infinity)
    const { cost, isSourceSide } = network.minCut(0, nodes.length - 1)
    expect(cost).toBe(3)
    expect(isSourceSide.filter(Boolean)).toHaveLength(777)
  })
})
