import { batchNormInput } from './fold-conv-batch-norm.ts'
import { definePass } from './pass.ts'
import { normalization } from './support/channel-operands.ts'
import { foldIntoLayers } from './support/fold-into-layer.ts'
import { rankOf } from './support/known-tensor.ts'

/**
 * Multiplies a batch norm into the linear layer in front of it, after
 * torch/csrc/jit/passes/frozen_linear_folding.cpp and torch/nn/utils/fusion.py:
 *
 * 1. The batch norm's input is the result of a linear layer that nobody else uses, except to ask for its shape.
 * 2. That result is known to have two dimensions: with three, the batch norm's channels are not the layer's.
 *    Known it is by a type, by what computes the input (a `flatten` from dimension 1 on, say), or by a check that the
 *    model makes. libtorch does not ask.
 * 3. Weights, biases, statistics, `eps` and flags are constants, the batch norm does not train, and dtypes go together
 *    as for `fold-conv-batch-norm`.
 * 4. `weight' = weight * s` and `bias' = (bias - running_mean) * s + bn_bias` per output, where
 *    `s = bn_weight / sqrt(running_var + eps)`; the new constants are called `<weight>_fused_bn`, `<bias>_fused_bn`.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldLinearBatchNorm = definePass({
  name: 'fold-linear-batch-norm',
  summary: 'Multiplies a frozen batch norm into the linear layer in front of it.',
  changesNumerics: true,
  run(graph, cx) {
    foldIntoLayers(graph, cx, {
      layer: 'linear',
      candidates: batchNormInput,
      suffix: () => '_fused_bn',
      effect(norm, _offset, layer) {
        const rank = rankOf(layer.node.output(), cx, norm.node)
        if (rank === undefined) return 'the input may have three dimensions, and then other channels'
        if (rank !== 2) return `in ${rank} dimensions the channels are others`
        return normalization(norm, layer.channels, layer.weight.dtype)
      },
    })
  },
})
