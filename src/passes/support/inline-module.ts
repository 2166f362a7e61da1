import { GraphEditor } from '../../ir/graph-editor.ts'
import type { GraphFunction } from '../../ir/graph-function.ts'
import type { Graph, Node } from '../../ir/graph.ts'
import type { ScriptObject } from '../../ir/ivalue.ts'
import { FreezeError, InlineError } from '../errors.ts'
import { inlinedGraph, optimizedGraph } from '../preoptimize.ts'
import { subgraphOf } from './control-flow.ts'
import { createContext } from './context.ts'
import { inlineCalls, replaceCall } from './inline-calls.ts'
import { everyNode, findSlotAccesses } from './module-slots.ts'

const maxRounds = 100

/**
 * A method's graph with everything inlined that this very module decides: calls in forked subgraphs, and calls
 * through interfaces by the modules that are behind them.
 */
export function inlineMethod(module: ScriptObject, fn: GraphFunction): Graph {
  const graph = inlinedGraph(fn)
  for (let round = 0; round < maxRounds; round++) {
    inlineForks(graph)
    if (!inlineInterfaceCalls(graph, module)) return graph
  }
  throw new InlineError('interfaces that call interfaces without end', { method: fn.qualifiedName })
}

function inlineForks(graph: Graph): void {
  for (const node of everyNode(graph)) {
    const subgraph = subgraphOf(node)
    if (subgraph) inlineCalls(subgraph, createContext(), optimizedGraph)
  }
}

function inlineInterfaceCalls(graph: Graph, module: ScriptObject): boolean {
  const { objects } = findSlotAccesses(graph, module)
  for (const [value, object] of objects)
    if (value.type.kind === 'Interface') new GraphEditor(value.graph).setType(value, object.type)
  const calls = [...everyNode(graph)].filter((node) => node.kind === 'prim::CallMethod')
  return calls.map((call) => inlineKnownCall(call, objects.get(call.input()))).includes(true)
}

function inlineKnownCall(call: Node, object: ScriptObject | undefined): boolean {
  const callee = object?.type.methods.get(call.stringAttribute('name'))
  if (callee === undefined) return false
  replaceCall(new GraphEditor(call.graph), call, optimizedGraph(callee), 0)
  return true
}

/** @throws FreezeError when there is no such method */
export function methodOf(module: ScriptObject, name: string): GraphFunction {
  const fn = module.type.methods.get(name)
  if (fn !== undefined) return fn
  const names = [...module.type.methods.keys()].join(', ')
  throw new FreezeError(`the module has no method '${name}'`, { method: name }, `it has: ${names || 'none'}`)
}
