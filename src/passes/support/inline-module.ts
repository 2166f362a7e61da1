import { GraphEditor } from '../../ir/graph-editor.ts'
import type { GraphFunction } from '../../ir/graph-function.ts'
import type { Graph, Node } from '../../ir/graph.ts'
import type { ScriptObject } from '../../ir/ivalue.ts'
import { FreezeError, InlineError } from '../errors.ts'
import { inlinedGraph, optimizedGraph } from '../preoptimize.ts'
import { subgraphOf } from './control-flow.ts'
import { createContext } from './context.ts'
import { inlineCalls, replaceCall } from './inline-calls.ts'
import { assignedModules, everyNode, findSlotAccesses, type SlotAccesses } from './module-slots.ts'

const maxRounds = 100

/** A method of a module or of one of its submodules. */
export interface ModuleMethod {
  readonly object: ScriptObject
  /** Of the object, from the root; empty for the root itself. */
  readonly path: string
  readonly name: string
  readonly fn: GraphFunction
}

/** A method with everything inlined that its module decides. */
export interface InlinedMethod extends ModuleMethod {
  readonly graph: Graph
}

/** Methods of one module, seen together: what one of them assigns, another does not know. */
export interface InlinedMethods {
  readonly methods: readonly InlinedMethod[]
  /** Names of attributes to which any of them assigns a module. */
  readonly assigned: ReadonlySet<string>
}

/**
 * Inlines methods that share a module. An interface-typed submodule that one of them swaps for another is not inlined
 * in any.
 */
export function inlineMethods(methods: readonly ModuleMethod[]): InlinedMethods {
  let assigned: ReadonlySet<string> = new Set()
  for (;;) {
    const inlined = methods.map((method) => ({ ...method, graph: inlineMethod(method, assigned) }))
    const found = new Set(assigned)
    for (const { graph } of inlined) for (const name of assignedModules(graph)) found.add(name)
    if (found.size === assigned.size) return { methods: inlined, assigned }
    assigned = found
  }
}

/** What a method's graph does with the attributes below its object. */
export function accessesOf(method: InlinedMethod, assigned: ReadonlySet<string>): SlotAccesses {
  return findSlotAccesses(method.graph, method.object, { assigned, path: method.path })
}

/**
 * A method's graph with everything inlined that this very object decides: calls in forked subgraphs, and calls
 * through interfaces by the modules that are behind them.
 */
function inlineMethod({ object, fn }: ModuleMethod, assigned: ReadonlySet<string>): Graph {
  const graph = inlinedGraph(fn)
  for (let round = 0; round < maxRounds; round++) {
    inlineForks(graph)
    if (!inlineInterfaceCalls(graph, object, assigned)) return graph
  }
  throw new InlineError('interfaces that call interfaces without end', { method: fn.qualifiedName })
}

function inlineForks(graph: Graph): void {
  for (const node of everyNode(graph)) {
    const subgraph = subgraphOf(node)
    if (subgraph) inlineCalls(subgraph, createContext(), optimizedGraph)
  }
}

function inlineInterfaceCalls(graph: Graph, module: ScriptObject, assigned: ReadonlySet<string>): boolean {
  const { objects } = findSlotAccesses(graph, module, { assigned })
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

/** Every method of the objects, each object once. */
export function methodsOf(objects: Iterable<readonly [object: ScriptObject, path: string]>): ModuleMethod[] {
  return [...objects].flatMap(([object, path]) =>
    [...object.type.methods].map(([name, fn]) => ({ object, path, name, fn })),
  )
}
