import type { Block, Graph, Node } from '../../ir/graph.ts'
import type { Type } from '../../ir/types.ts'
import type { PassContext } from '../pass.ts'

export interface PeepholeContext {
  readonly cx: PassContext
  /** Whether rules may use what is known of tensors' shapes and dtypes. */
  readonly shapes: boolean
}

/** Looks at one node; returns whether it changed the graph. */
export type PeepholeRule = (node: Node, context: PeepholeContext) => boolean

/** Rules by node kind. */
export type PeepholeRules = Readonly<Record<string, PeepholeRule>>

/** Shows every node to its rule, the nodes of its blocks first; `always` sees every node before its rule. */
export function applyRules(
  graph: Graph,
  rules: PeepholeRules,
  context: PeepholeContext,
  always: (node: Node) => boolean = () => false,
): boolean {
  const visit = (block: Block): boolean => {
    let changed = false
    for (const node of block.nodes()) {
      for (const inner of node.blocks) changed = visit(inner) || changed
      changed = always(node) || changed
      changed = (rules[node.kind]?.(node, context) ?? false) || changed
    }
    return changed
  }
  return visit(graph.block)
}

/** Whether the first inputs have these kinds of type. */
export function inputsAre(node: Node, ...kinds: Type['kind'][]): boolean {
  return node.inputs.length >= kinds.length && kinds.every((kind, i) => node.input(i).type.kind === kind)
}
