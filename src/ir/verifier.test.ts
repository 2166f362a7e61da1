import { describe, expect, it } from 'vitest'
import { VerifierError } from './errors.ts'
import { GraphEditor } from './graph-editor.ts'
import { parseGraph } from './graph-parser.ts'
import type { Graph, Value } from './graph.ts'
import { parseSchema } from './schema-parser.ts'
import { findFaults, verifyGraph } from './verifier.ts'

const text = `graph(%x : Tensor):
  %y : Tensor = aten::relu(%x)
  %z : Tensor = aten::neg(%y)
  return (%z)
`

function valueOf(graph: Graph, name: string): Value {
  const value = graph.value(name)
  if (value === undefined) expect.fail(`no value ${name}`)
  return value
}

function messages(graph: Graph): string[] {
  return findFaults(graph).map((fault) => fault.message)
}

describe('verifyGraph', () => {
  it('shows every fault below its line', () => {
    const graph = parseGraph(text)
    const editor = new GraphEditor(graph)
    editor.moveBefore(valueOf(graph, 'z').node, valueOf(graph, 'y').node)
    expect(() => verifyGraph(graph)).toThrow(VerifierError)
    expect(() => verifyGraph(graph)).toThrow(`the graph breaks a rule of the IR
graph(%x : Tensor):
  %z : Tensor = aten::neg(%y)
  ^-- %y is not defined here: its definition comes later or in a block that is not around
  %y : Tensor = aten::relu(%x)
  return (%z)`)
  })

  it('leaves out what is far from a fault', () => {
    const chain = Array.from({ length: 50 }, (_, i) => `  %${i + 1} : Tensor = aten::neg(%${i})\n`).join('')
    const graph = parseGraph(`graph(%0 : Tensor):\n${chain}  return (%50)\n`)
    valueOf(graph, '25').node._inputs.length = 0
    expect(() => verifyGraph(graph)).toThrow(
      /^the graph breaks a rule of the IR\n {2}\.\.\.\n(?:.*\n){5,7} {2}\.\.\.$/,
    )
  })

  it('notices uses that do not agree with inputs', () => {
    const graph = parseGraph(text)
    valueOf(graph, 'y')._uses.length = 0
    expect(messages(graph)).toEqual(['%y lists its use as input 0 0 times'])
  })

  it('notices inputs that were dropped without their use', () => {
    const graph = parseGraph(text)
    valueOf(graph, 'z').node._inputs.length = 0
    expect(messages(graph)).toEqual(['%y lists a use as input 0 of a aten::neg that does not use it there'])
  })

  it('notices values of another graph and of destroyed nodes', () => {
    const graph = parseGraph(text)
    const other = valueOf(parseGraph(text), 'x')
    valueOf(graph, 'z').node._inputs[0] = other
    expect(messages(graph)).toContain('%x belongs to another graph')
    const destroyed = parseGraph(text)
    const { node } = valueOf(destroyed, 'y')
    node.prev._next = node.next
    node.next._prev = node.prev
    expect(messages(destroyed)).toContain('%y is the result of a node that was destroyed')
  })

  it('notices broken lists, offsets and names', () => {
    const graph = parseGraph(text)
    valueOf(graph, 'z').node._prev = undefined
    valueOf(graph, 'y')._offset = 3
    valueOf(graph, 'y')._name = 'x'
    expect(messages(graph)).toEqual(
      expect.arrayContaining([
        'the node before does not lead here',
        '%x does not know that it is output 0',
        '%x is the name of two values',
      ]),
    )
  })

  it('counts inputs and outputs by the schema of the node', () => {
    const graph = parseGraph(text)
    valueOf(graph, 'y').node.schema = parseSchema('aten::add.Tensor(Tensor self, Tensor other) -> Tensor')
    expect(messages(graph)).toEqual(['expected 2 inputs, not 1'])
  })

  it('looks into subgraphs', () => {
    const graph = parseGraph(
      `graph(%c : int):
  %f : Future[Tensor] = prim::fork_0(%c)
  return (%f)
with prim::fork_0 = graph(%c : int):
   = prim::If(%c)
  return (%c)
`,
    )
    expect(messages(graph)).toEqual(['the condition %c is of type int, not bool', 'expected 2 blocks, not 0'])
  })

  it('counts what the graph returns if asked', () => {
    expect(() => verifyGraph(parseGraph(text), { outputs: 2 })).toThrow('the graph returns 1 values, not 2')
    expect(() => verifyGraph(parseGraph(text), { outputs: 1 })).not.toThrow()
  })
})
