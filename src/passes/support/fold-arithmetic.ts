import type { Graph, Node, Value } from '../../ir/graph.ts'
import type { PassContext } from '../pass.ts'
import type { ChannelAffine, Layer } from './channel-layer.ts'
import { channelOperand } from './channel-operands.ts'
import { constantOf } from './constants.ts'
import { foldIntoLayers, type FoldRule } from './fold-into-layer.ts'
import type { NodeArguments } from './node-arguments.ts'

/*
 * The arithmetic on a layer's result that the layer can do itself. In-place kinds (`add_`) count: what they write is
 * the layer's own result, which nobody else sees. Only of `add` and `mul` may the layer's result be the second operand:
 * nobody can tell.
 */
const commutative = new Set(['aten::add', 'aten::mul'])

function arithmetic(
  kinds: readonly string[],
  effect: FoldRule['effect'],
  layer: FoldRule['layer'],
): FoldRule {
  const known = new Set(kinds.flatMap((kind) => [kind, `${kind}_`]))
  return {
    layer,
    candidates: (node) =>
      known.has(node.kind)
        ? (commutative.has(node.kind) ? [0, 1] : [0]).filter((at) => isParameter(node.inputs[1 - at]))
        : undefined,
    effect,
    suffix: ({ kind }: Node) => `_fused_${kind.replace(/^aten::|_$/g, '')}`,
  }
}

/** What is a constant, or would be if the module were frozen: sums of activations are nobody's candidates. */
function isParameter(value: Value | undefined): boolean {
  return value?.node.kind === 'prim::Constant' || value?.node.kind === 'prim::GetAttr'
}

/** Folds `add` and `sub` of constants into the biases of layers. */
export function foldAddOrSub(graph: Graph, cx: PassContext, layer: FoldRule['layer']): void {
  foldIntoLayers(graph, cx, arithmetic(['aten::add', 'aten::sub'], addend, layer))
}

/** Folds `mul` and `div` by constants into the weights and biases of layers. */
export function foldMulOrDiv(graph: Graph, cx: PassContext, layer: FoldRule['layer']): void {
  foldIntoLayers(graph, cx, arithmetic(['aten::mul', 'aten::div'], factor, layer))
}

/** self ± alpha · other. */
function addend(node: NodeArguments, offset: number, layer: Layer, cx: PassContext): ChannelAffine | string {
  const other = otherOperand(node, offset, layer, cx)
  if (typeof other === 'string') return other
  const alpha = node.value('alpha')
  const times = alpha === undefined ? 1 : node.number('alpha')
  if (times === undefined || (alpha && typeof constantOf(alpha) === 'boolean'))
    return 'alpha is no constant number'
  if (offset === 1 && times !== 1) return 'alpha scales the result itself'
  const sign = node.node.kind.startsWith('aten::sub') ? -times : times
  return { shift: other.map((value) => value * sign) }
}

function factor(node: NodeArguments, offset: number, layer: Layer, cx: PassContext): ChannelAffine | string {
  const other = otherOperand(node, offset, layer, cx)
  if (typeof other === 'string') return other
  if (!node.node.kind.startsWith('aten::div')) return { scale: other }
  const mode = node.value('rounding_mode')
  if (mode && constantOf(mode) !== null) return 'the quotient is rounded'
  return other.includes(0) ? 'it divides by 0' : { scale: other.map((value) => 1 / value) }
}

function otherOperand(
  node: NodeArguments,
  offset: number,
  layer: Layer,
  cx: PassContext,
): Float64Array | string {
  const other = node.node.inputs[1 - offset]
  return other === undefined ? 'it has one operand' : channelOperand(other, layer, cx)
}
