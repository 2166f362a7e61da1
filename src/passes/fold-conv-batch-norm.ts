import type { Node } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { normalization } from './support/channel-operands.ts'
import { foldIntoLayers } from './support/fold-into-layer.ts'
import { rankOf } from './support/known-tensor.ts'
import { roleOf } from './support/node-arguments.ts'

/** The input of a batch norm; undefined for any other node. */
export const batchNormInput = (node: Node, cx: PassContext): readonly number[] | undefined =>
  roleOf(node, cx) === 'batch-norm' ? [0] : undefined

/**
 * Multiplies a batch norm into the convolution in front of it, after torch/csrc/jit/passes/frozen_conv_folding.cpp
 * and torch/nn/utils/fusion.py, for 1d, 2d, 3d, grouped and transposed convolutions alike:
 *
 * 1. The batch norm's input is a convolution whose result nobody else uses, except to ask for its shape.
 * 2. Weights, biases, statistics, `eps` and flags are constants, and the batch norm does not train.
 * 3. `weight' = weight * s` and `bias' = (bias - running_mean) * s + bn_bias` per output channel, where
 *    `s = bn_weight / sqrt(running_var + eps)`; a missing bias counts as 0, a missing bn_weight as 1.
 * 4. The statistics have the weight's dtype, or float32 where that is a half: any other mix is an error when it runs,
 *    and stays one. The new constants have the weight's dtype, and hold no infinities.
 * 5. The new constants are called `<weight>_fused_bn` and `<bias>_fused_bn`; the batch norm goes. A weight that other
 *    convolutions use too stays as it is for them.
 * 6. The input is taken to have a batch dimension unless it is known to have none, as libtorch takes it.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldConvBatchNorm = definePass({
  name: 'fold-conv-batch-norm',
  summary: 'Multiplies a frozen batch norm into the convolution in front of it.',
  changesNumerics: true,
  run(graph, cx) {
    foldIntoLayers(graph, cx, {
      layer: 'convolution',
      candidates: batchNormInput,
      suffix: () => '_fused_bn',
      effect(norm, _offset, layer) {
        if (rankOf(layer.node.output(), cx) === layer.weight.dim - 1)
          return 'without a batch dimension the channels are others'
        return normalization(norm, layer.channels, layer.weight.dtype)
      },
    })
  },
})
