import { copyGraph } from '../ir/graph-editor.ts'
import type { GraphFunction } from '../ir/graph-function.ts'
import type { Graph } from '../ir/graph.ts'
import { propagateImmutableConstants } from './constant-propagation-immutable-types.ts'
import { poolConstants } from './constant-pooling.ts'
import { InlineError } from './errors.ts'
import type { PassContext } from './pass.ts'
import { optimizePeepholes } from './peephole.ts'
import { createContext } from './support/context.ts'
import { inlineCalls } from './support/inline-calls.ts'

/** Functions calling functions calling functions; far beyond what real models do. */
const maxCallDepth = 400

interface Optimized {
  readonly source: Graph
  readonly graph: Graph
}

const optimized = new WeakMap<GraphFunction, Optimized>()
const inProgress: GraphFunction[] = []

/**
 * What a caller inlines of a function: its graph with its own calls inlined, peepholes without shapes applied,
 * immutable constants propagated and constants pooled (`preoptimizeGraph`, torch/csrc/jit/api/function_impl.cpp).
 * Computed once per function and graph; do not change it.
 *
 * @throws InlineError when the function calls itself
 */
export function optimizedGraph(callee: GraphFunction): Graph {
  const known = optimized.get(callee)
  if (known?.source === callee.graph) return known.graph
  checkDepth(callee)
  inProgress.push(callee)
  try {
    const graph = copyGraph(callee.graph)
    preoptimize(graph)
    optimized.set(callee, { source: callee.graph, graph })
    return graph
  } finally {
    inProgress.pop()
  }
}

function checkDepth(callee: GraphFunction): void {
  const place = { method: callee.qualifiedName }
  if (inProgress.includes(callee))
    throw new InlineError('a function that calls itself', place, 'recursion cannot be inlined')
  if (inProgress.length >= maxCallDepth)
    throw new InlineError(
      `calls nested more than ${maxCallDepth} deep`,
      place,
      'such a model cannot be inlined',
    )
}

/** Brings a graph into the form in which callers inline it; in place. */
export function preoptimize(graph: Graph, cx: PassContext = createContext()): void {
  inlineCalls(graph, cx, optimizedGraph)
  optimizePeepholes(graph, cx, { shapes: false })
  propagateImmutableConstants(graph, cx)
  poolConstants(graph, cx)
}

/** A copy of the function's graph with all calls inlined: what `method.inlined_graph` shows in PyTorch. */
export function inlinedGraph(fn: GraphFunction): Graph {
  const graph = copyGraph(fn.graph)
  inlineCalls(graph, createContext(), optimizedGraph)
  return graph
}
