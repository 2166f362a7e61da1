import type { Node } from '../ir/graph.ts'
import { List } from '../ir/ivalue.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { readLayer, replaceWeights, reweigh, type Layer, type NewWeights } from './support/channel-layer.ts'
import { normalization } from './support/channel-operands.ts'
import { constantOf } from './support/constants.ts'
import { elementsOf, weightedSums } from './support/fold-tensors.ts'
import { rankOf } from './support/known-tensor.ts'
import { NodeArguments, roleOf } from './support/node-arguments.ts'

/**
 * Multiplies a batch norm into the convolution behind it. libtorch has no such pass.
 *
 * 1. The convolution's input is a batch norm that does not train and whose result nobody else uses; what it
 *    normalises is never written.
 * 2. All parameters of both are constants, and dtypes go together as for `fold-conv-batch-norm`.
 * 3. With x · s + t per input channel, `weight' = weight * s`, and the bias grows by the sum of weight · t over all
 *    inputs of the output channel. That sum is the same everywhere only where the convolution pads nothing: with
 *    padding, or transposed, t must be 0.
 * 4. The new constants are called `<weight>_fused_bn` and `<bias>_fused_bn`; the batch norm goes.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldBatchNormConv = definePass({
  name: 'fold-batch-norm-conv',
  summary: 'Multiplies a frozen batch norm into the convolution behind it, where that pads nothing.',
  changesNumerics: true,
  run(graph, cx) {
    const aliases = new Aliases(graph, cx)
    let changed = false
    for (const conv of graph.nodes())
      if (roleOf(conv, cx) === 'convolution' && isBatchNorm(conv.inputs[0]?.node, cx))
        changed = fold(conv, aliases, cx) || changed
    if (changed) eliminateDeadCode(graph, cx)
  },
})

function isBatchNorm(node: Node | undefined, cx: PassContext): boolean {
  return node !== undefined && roleOf(node, cx) === 'batch-norm'
}

function fold(conv: Node, aliases: Aliases, cx: PassContext): boolean {
  const norm = conv.input().node
  const layer = readLayer(conv, cx)
  const weights = typeof layer === 'string' ? layer : newWeights(layer, norm, aliases, cx)
  if (typeof layer === 'string' || typeof weights === 'string') {
    cx.miss(norm, typeof weights === 'string' ? weights : '')
    return false
  }
  return cx.rewrite(conv, `takes in %${norm.output().debugName}`, (edit) => {
    replaceWeights(edit, layer, weights, '_fused_bn')
    edit.replaceInput(conv, 0, norm.input())
  })
}

function newWeights(layer: Layer, norm: Node, aliases: Aliases, cx: PassContext): NewWeights | string {
  if (norm.output().uses.length > 1) return `%${norm.output().debugName} has other uses`
  if (rankOf(norm.input(), cx) === layer.weight.dim - 1)
    return 'without a batch dimension the channels are others'
  if (aliases.hasValueWriters(norm.input())) return `%${norm.input().debugName} is written`
  const { weight, inputOf, outputOf, channels, args } = layer
  const inputs = layer.isTransposed
    ? (weight.sizes[0] ?? 0)
    : (weight.sizes[1] ?? 0) * (args.int('groups') ?? 1)
  const effect = normalization(new NodeArguments(norm, cx), inputs, weight.dtype)
  if (typeof effect === 'string') return effect
  const { scale, shift } = effect
  const isShifted = shift.some((value) => value !== 0)
  if (isShifted && (layer.isTransposed || !padsNothing(layer)))
    return 'the convolution pads, and the batch norm shifts what it would pad'
  const at = (values: Float64Array) => (i0: number, i1: number) => values[inputOf(i0, i1)] as number
  const sums = isShifted ? weightedSums(weight, channels, outputOf, at(shift)) : undefined
  const old = layer.bias && elementsOf(layer.bias)
  return reweigh(layer, at(scale), sums && sums.map((sum, i) => sum + (old?.[i] ?? 0)))
}

function padsNothing({ args }: Layer): boolean {
  const value = args.value('padding')
  const padding = value && constantOf(value)
  if (typeof padding === 'string') return padding === 'valid'
  return padding instanceof List && padding.elements.every((amount) => amount === 0)
}
