import { describe, expect, it } from 'vitest'
import { printDot } from './dot-printer.ts'
import { parseGraph } from './graph-parser.ts'

const graph = parseGraph(`graph(%c : bool, %x : Tensor):
  %s : str = prim::Constant[value="a\\"b"]()
  %y : Tensor = prim::If(%c)
    block0():
      -> (%x)
    block1():
       = prim::Print(%s)
      -> (%x)
  return (%y)
`)

describe('printDot', () => {
  it('draws nodes, uses and nested blocks', () => {
    const dot = printDot(graph)
    expect(dot).toMatch(/^digraph \{\n/)
    expect(dot).toContain('n0 [label="inputs\\n%c : bool\\n%x : Tensor", style=rounded]')
    expect(dot).toContain('label="%s : str = prim::Constant[value=\\"a\\\\\\"b\\"]()"')
    expect(dot).toContain('subgraph cluster_n2_1 {')
    expect(dot).toContain('n0 -> n2 [label="%c"]')
    expect(dot.match(/\{/g)?.length).toBe(dot.match(/\}/g)?.length)
  })

  it('leaves constants out if asked', () => {
    const dot = printDot(graph, { constants: false })
    expect(dot).not.toContain('prim::Constant')
    expect(dot).toContain('prim::Print(%s)')
  })
})
