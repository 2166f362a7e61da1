import { describe, expect, it } from 'vitest'
import { commonBlock, dominates, isAvailableAt, isInside, lastUses } from './dominance.ts'
import { parseGraph } from './graph-parser.ts'
import type { Node, Value } from './graph.ts'

const graph = parseGraph(`graph(%c : bool, %x : Tensor):
  %a : Tensor = aten::relu(%x)
  %y : Tensor = prim::If(%c)
    block0():
      %b : Tensor = aten::neg(%a)
      -> (%b)
    block1():
      %d : Tensor = aten::exp(%x)
      -> (%d)
  %z : Tensor = aten::add(%y, %a)
  return (%z)
`)

function value(name: string): Value {
  const found = graph.value(name)
  if (found === undefined) expect.fail(`no value ${name}`)
  return found
}

function node(name: string): Node {
  return value(name).node
}

describe('dominance', () => {
  it('holds for what comes behind, nested blocks included', () => {
    expect(dominates(node('a'), node('z'))).toBe(true)
    expect(dominates(node('a'), node('b'))).toBe(true)
    expect(dominates(node('a'), node('a'))).toBe(true)
    expect(dominates(node('z'), node('a'))).toBe(false)
  })

  it('does not reach out of a block or into the one beside it', () => {
    expect(dominates(node('b'), node('z'))).toBe(false)
    expect(dominates(node('b'), node('d'))).toBe(false)
    expect(dominates(node('y'), node('b'))).toBe(false)
  })

  it('tells which values a node may use', () => {
    expect(isAvailableAt(value('x'), node('b'))).toBe(true)
    expect(isAvailableAt(value('b'), node('b'))).toBe(false)
    expect(isAvailableAt(value('b'), node('z'))).toBe(false)
  })

  it('finds the block that two nodes share', () => {
    expect(commonBlock(node('b'), node('d'))).toBe(graph.block)
    expect(commonBlock(node('b'), node('b'))).toBe(node('y').block(0))
    expect(isInside(node('b'), graph.block)).toBe(true)
    expect(isInside(node('a'), node('y').block(0))).toBe(false)
  })

  it('lists what each node uses last', () => {
    const last = lastUses(graph.block)
    expect(new Set(last.get(node('y')))).toEqual(new Set([value('c'), value('x')]))
    expect(new Set(last.get(node('z')))).toEqual(new Set([value('y'), value('a')]))
    expect(last.get(graph.block.returnNode)).toEqual([value('z')])
    expect(last.get(node('a'))).toBeUndefined()
  })
})
