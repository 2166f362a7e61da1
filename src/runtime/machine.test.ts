import { describe, expect, it } from 'vitest'
import { ClassType } from '../ir/class-type.ts'
import { GraphEditor } from '../ir/graph-editor.ts'
import { GraphFunction } from '../ir/graph-function.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { List, ScriptObject, Tuple } from '../ir/ivalue.ts'
import { IntT } from '../ir/types.ts'
import { programOf } from './compile.ts'
import { createEnvironment } from './environment.ts'
import { LimitExceededError } from './errors.ts'
import { runGraph } from './interpreter.ts'

/** A class with one method that is given as a graph of `self` and ints. */
function classWith(method: string, text: string): ClassType {
  const type = new ClassType('__torch__.Made', { isModule: false })
  const graph = parseGraph(text)
  graph.inputs.forEach((input, i) => i === 0 && new GraphEditor(graph).setType(input, type))
  const schema = { name: method, overload: '', arguments: [], returns: [], isVararg: false, isVarret: false }
  type.methods.set(method, new GraphFunction(`__torch__.Made.${method}`, () => ({ graph, schema })))
  return type
}

const numbers = (...values: number[]): List => new List(values, IntT)

describe('a run', () => {
  it('keeps a loop without turns from running its body', () => {
    const graph = parseGraph(`graph(%n : int, %go : bool):
  %zero : int = prim::Constant[value=0]()
  %sum : int, %last : int = prim::Loop(%n, %go, %zero, %zero)
    block0(%i : int, %s : int, %l : int):
      %t : int = aten::add(%s, %i)
      -> (%go, %t, %i)
  return (%sum, %last)
`)
    expect(runGraph(graph, [5, true])).toEqual([10, 4])
    expect(runGraph(graph, [0, true])).toEqual([0, 0])
    expect(runGraph(graph, [5, false])).toEqual([0, 0])
  })

  it('exchanges carried values all at once', () => {
    const graph = parseGraph(`graph(%n : int, %a : int, %b : int):
  %go : bool = prim::Constant[value=1]()
  %x : int, %y : int = prim::Loop(%n, %go, %a, %b)
    block0(%i : int, %p : int, %q : int):
      -> (%go, %q, %p)
  return (%x, %y)
`)
    expect(runGraph(graph, [3, 1, 2])).toEqual([2, 1])
    expect(runGraph(graph, [4, 1, 2])).toEqual([1, 2])
  })

  it('lets a value from outside a loop live in every turn', () => {
    const graph = parseGraph(`graph(%n : int, %xs : int[]):
  %go : bool = prim::Constant[value=1]()
  %one : int = prim::Constant[value=1]()
  %k : int = aten::len(%xs)
   = prim::Loop(%n, %go)
    block0(%i : int):
      %m : int = aten::add(%k, %one)
      %ys : int[] = aten::append(%xs, %m)
      -> (%go)
  return (%xs)
`)
    expect(runGraph(graph, [3, numbers(7)])).toEqual([numbers(7, 2, 2, 2)])
  })

  it('gives the same list under both of its names', () => {
    const graph = parseGraph(`graph(%x : int):
  %list : int[] = prim::ListConstruct(%x)
  %pair : (int[], int[]) = prim::TupleConstruct(%list, %list)
  %a : int[], %b : int[] = prim::TupleUnpack(%pair)
  %c : int[] = aten::append(%a, %x)
  return (%b)
`)
    expect(runGraph(graph, [1])).toEqual([numbers(1, 1)])
  })

  it('follows a change of the graph', () => {
    const graph = parseGraph(`graph(%x : int, %y : int):
  %z : int = aten::add(%x, %y)
  return (%z)
`)
    expect(runGraph(graph, [2, 3])).toEqual([5])
    const node = graph.outputs[0]!.node
    new GraphEditor(graph).replaceInput(node, 1, graph.inputs[0]!)
    expect(runGraph(graph, [2, 3])).toEqual([4])
  })

  it('lets go of every value behind its last use', () => {
    const graph = parseGraph(`graph(%x : int):
  %a : int = aten::neg(%x)
  %b : int = aten::neg(%a)
  %c : int = aten::neg(%b)
  return (%c)
`)
    const program = programOf(graph)
    const frame = { registers: program.initial.slice(), position: 0 }
    frame.registers[program.inputs[0]!] = 4
    const held: number[] = []
    for (const instruction of program.code) {
      instruction.execute(frame, undefined as never)
      held.push(frame.registers.filter((value) => value !== undefined).length)
    }
    expect(held).toEqual([1, 1, 1])
  })

  it('is ended when calls nest too deeply', () => {
    const type = classWith(
      'again',
      `graph(%self : Any, %x : int):
  %y : int = prim::CallMethod[name="again"](%self, %x)
  return (%y)
`,
    )
    const graph = parseGraph(`graph(%self : Any, %x : int):
  %y : int = prim::CallMethod[name="again"](%self, %x)
  return (%y)
`)
    const run = (depth: number) => () =>
      runGraph(graph, [new ScriptObject(type), 1], createEnvironment({ limits: { depth } }))
    expect(run(50)).toThrow(LimitExceededError)
    expect(run(1e9)).toThrow(LimitExceededError)
  })

  it('sorts objects by their own __lt__', () => {
    const type = classWith(
      '__lt__',
      `graph(%self : Any, %other : Any):
  %a : int = prim::GetAttr[name="rank"](%self)
  %b : int = prim::GetAttr[name="rank"](%other)
  %c : bool = aten::lt(%a, %b)
  return (%c)
`,
    )
    const graph = parseGraph(`graph(%objects : Any[]):
  %sorted : Any[] = aten::sorted(%objects)
  return (%sorted)
`)
    const objects = [3, 1, 2].map((rank) => new ScriptObject(type, new Map([['rank', rank]])))
    const [sorted] = runGraph(graph, [new List(objects, { kind: 'Any' })])
    expect((sorted as List).elements).toEqual([objects[1], objects[2], objects[0]])
  })

  it('refuses to unpack another number of elements', () => {
    const graph = parseGraph(`graph(%xs : int[]):
  %a : int, %b : int = prim::ListUnpack(%xs)
  return (%a, %b)
`)
    expect(runGraph(graph, [numbers(1, 2)])).toEqual([1, 2])
    expect(() => runGraph(graph, [numbers(1)])).toThrow(/expected 2 values to unpack but found 1/)
  })

  it('slices tuples and counts their elements from both ends', () => {
    const graph = parseGraph(`graph(%t : (int, int, int)):
  %last : int = prim::Constant[value=-1]()
  %x : int = prim::TupleIndex(%t, %last)
  %s : (int, int) = prim::TupleSlice[beg=0, end=2](%t)
  return (%x, %s)
`)
    expect(runGraph(graph, [new Tuple([1, 2, 3])])).toEqual([3, new Tuple([1, 2])])
  })

  it('asks a value and not its static type whether it is an instance', () => {
    const graph = parseGraph(`graph(%x : Any):
  %is : bool = prim::isinstance[types=[int[], str]](%x)
  return (%is)
`)
    expect(runGraph(graph, [numbers(1)])).toEqual([true])
    expect(runGraph(graph, ['text'])).toEqual([true])
    expect(runGraph(graph, [1])).toEqual([false])
    expect(runGraph(graph, [new List([true], { kind: 'Bool' })])).toEqual([false])
  })
})
