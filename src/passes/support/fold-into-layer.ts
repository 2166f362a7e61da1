import type { Graph, Node, Value } from '../../ir/graph.ts'
import { eliminateDeadCode } from '../eliminate-dead-code.ts'
import type { PassContext } from '../pass.ts'
import { absorb, readLayer, replaceWeights, type ChannelAffine, type Layer } from './channel-layer.ts'
import { NodeArguments, roleOf } from './node-arguments.ts'

/** How a pass finds what it folds into the layer in front. */
export interface FoldRule {
  readonly layer: 'convolution' | 'linear'
  /** The inputs of the node that may be the layer's result; undefined for a node that is none of the pass's. */
  readonly candidates: (node: Node, cx: PassContext) => readonly number[] | undefined
  /** What the node does to the layer's result, its input `offset`; or why it cannot be folded. */
  readonly effect: (
    node: NodeArguments,
    offset: number,
    layer: Layer,
    cx: PassContext,
  ) => ChannelAffine | string
  /** Stands behind the names of the new constants. */
  readonly suffix: (node: Node) => string
}

/**
 * Lets convolutions or linear layers do what the node behind them does, node by node in the order of the graph, so
 * that the next one sees the layer as it has become. Nodes without users are removed at the end.
 */
export function foldIntoLayers(graph: Graph, cx: PassContext, rule: FoldRule): void {
  let changed = false
  for (const node of graph.nodes()) {
    const offset = rule.candidates(node, cx)?.find((at) => {
      const value = node.inputs[at]
      return value !== undefined && roleOf(value.node, cx) === rule.layer
    })
    if (offset !== undefined) changed = fold(node, offset, rule, cx) || changed
  }
  if (changed) eliminateDeadCode(graph, cx)
}

function fold(node: Node, offset: number, rule: FoldRule, cx: PassContext): boolean {
  const result = node.input(offset)
  const layer = readLayer(result.node, cx)
  const args = new NodeArguments(node, cx)
  const reason = typeof layer === 'string' ? layer : whyNot(args, offset, result)
  const effect = reason ?? rule.effect(args, offset, layer as Layer, cx)
  const weights = typeof effect === 'string' ? effect : absorb(layer as Layer, effect)
  if (typeof weights === 'string') {
    cx.miss(node, weights)
    return false
  }
  return cx.rewrite(result.node, `takes in %${node.output().debugName}`, (edit) => {
    replaceWeights(edit, layer as Layer, weights, rule.suffix(node))
    edit.replaceAllUses(node.output(), result)
    edit.destroy(node)
  })
}

/** Questions whose answer stays the same when every channel is scaled and shifted. */
const askForShape = new Set(['aten::dim', 'aten::size', 'aten::numel', 'prim::dtype', 'prim::device'])

function whyNot(node: NodeArguments, offset: number, result: Value): string | undefined {
  const others = result.uses.filter(({ user, offset: at }) => user !== node.node || at !== offset)
  if (others.some(({ user }) => !askForShape.has(user.kind))) return `%${result.debugName} has other uses`
  const isWritten = node.schema?.arguments[offset]?.alias?.isWrite === true
  return isWritten && node.node.owningBlock !== result.node.owningBlock
    ? `it is written in another block than %${result.debugName}`
    : undefined
}
