import { describe, expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import { attributeOf, GraphEditor } from '../ir/graph-editor.ts'
import { GraphFunction } from '../ir/graph-function.ts'
import { printGraph } from '../ir/graph-printer.ts'
import { Graph } from '../ir/graph.ts'
import { TensorT } from '../ir/types.ts'
import { InlineError } from './errors.ts'
import { inlinedGraph, optimizedGraph } from './preoptimize.ts'
import { methodOf } from './support/inline-module.ts'

const source = `
class Inner(Module):
  __parameters__ = []
  __buffers__ = []
  def forward(self: __torch__.Inner, x: Tensor, scale: Optional[Tensor]=None) -> Tensor:
    if torch.__is__(scale, None):
      y = torch.neg(x)
    else:
      scale0 = unchecked_cast(Tensor, scale)
      y = torch.mul(x, scale0)
    return y
class Middle(Module):
  __parameters__ = []
  __buffers__ = []
  inner : __torch__.Inner
  def forward(self: __torch__.Middle, x: Tensor) -> Tensor:
    inner = self.inner
    return (inner).forward(x, None, )
class Outer(Module):
  __parameters__ = []
  __buffers__ = []
  middle : __torch__.Middle
  def forward(self: __torch__.Outer, x: Tensor) -> Tensor:
    middle = self.middle
    return __torch__.twice((middle).forward(x, ), )
  def same(self: __torch__.Outer, x: Tensor) -> Tensor:
    return __torch__.identity(x, )
def twice(x: Tensor) -> Tensor:
  return torch.add(x, x)
def identity(x: Tensor) -> Tensor:
  return x
`

const outer = new ModuleSource(source).classOf('Outer')

describe('inline', () => {
  it('replaces calls of methods and functions by their optimised bodies', () => {
    const fn = outer.methods.get('forward')
    const kinds = fn && [...inlinedGraph(fn).nodes()].map((node) => node.kind)
    // What decides the condition is known where Middle calls Inner: its branch is gone, and the read of `inner` too.
    expect(kinds).toEqual(['prim::Constant', 'prim::GetAttr', 'aten::neg', 'prim::Constant', 'aten::add'])
  })

  it('leaves the function and its callees as they are', () => {
    const fn = outer.methods.get('forward') as GraphFunction
    const before = printGraph(fn.graph)
    inlinedGraph(fn)
    expect(printGraph(fn.graph)).toBe(before)
    expect(before).toContain('prim::CallMethod')
  })

  it('optimises a callee once', () => {
    const fn = outer.methods.get('forward') as GraphFunction
    expect(optimizedGraph(fn)).toBe(optimizedGraph(fn))
  })

  it('gives a value that is passed through the name of the result', () => {
    const fn = outer.methods.get('same') as GraphFunction
    expect(printGraph(inlinedGraph(fn))).toMatch(/return \(%x[\w.]*\)/)
  })

  it('says so when a function calls itself', () => {
    const recursive: GraphFunction = new GraphFunction('__torch__.f', () => {
      const graph = new Graph()
      const edit = new GraphEditor(graph)
      const x = edit.addBlockInput(graph.block)
      const callee = edit.insert('prim::Constant', [], {
        outputs: [{ kind: 'Function', name: '__torch__.f' }],
        attributes: { name: attributeOf('f'), value: attributeOf(recursive) },
      })
      edit.addBlockOutput(graph.block, edit.insert('prim::CallFunction', [callee.output(), x]).output())
      const schema = { name: 'f', overload: '', arguments: [], returns: [], isVararg: false, isVarret: false }
      return { graph, schema: { ...schema, returns: [{ name: '', type: TensorT, kwargOnly: false }] } }
    })
    expect(() => inlinedGraph(recursive)).toThrow(InlineError)
    expect(() => inlinedGraph(recursive)).toThrow(/calls itself\n {2}in method __torch__\.f/)
  })

  it('stops before calls of calls fill the memory', () => {
    let callee: GraphFunction | undefined
    for (let depth = 0; depth < 60; depth++) callee = doubling(`f${depth}`, callee)
    expect(() => inlinedGraph(callee as GraphFunction)).toThrow(
      /inlining makes the graph larger than \d+ nodes/,
    )
  })

  it('says which methods there are when one is missing', () => {
    const module = new ModuleSource(source).make('Inner', {})
    expect(() => methodOf(module, 'backward')).toThrow(/no method 'backward'/)
  })
})

/** A function that calls the given one twice, or negates often. */
function doubling(name: string, inner: GraphFunction | undefined): GraphFunction {
  return new GraphFunction(name, () => {
    const graph = new Graph()
    const edit = new GraphEditor(graph)
    let x = edit.addBlockInput(graph.block)
    for (let i = 0; i < (inner ? 2 : 1000); i++)
      if (inner) {
        const callee = edit.insert('prim::Constant', [], {
          outputs: [{ kind: 'Function', name: inner.qualifiedName }],
          attributes: { name: attributeOf(inner.name), value: attributeOf(inner) },
        })
        x = edit.insert('prim::CallFunction', [callee.output(), x]).output()
      } else x = edit.insert('aten::neg', [x]).output()
    edit.addBlockOutput(graph.block, x)
    return {
      graph,
      schema: { name, overload: '', arguments: [], returns: [], isVararg: false, isVarret: false },
    }
  })
}
