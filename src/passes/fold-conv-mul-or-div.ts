import { definePass } from './pass.ts'
import { foldMulOrDiv } from './support/fold-arithmetic.ts'

/**
 * Multiplies a constant factor or divisor of a convolution's result into its weight and bias instead, after
 * torch/csrc/jit/passes/frozen_conv_folding.cpp:
 *
 * 1. Nobody else uses the convolution's result, except to ask for its shape.
 * 2. The constant is as for `fold-conv-add-or-sub`.
 * 3. No division by 0 and none that rounds; the new weights stay in the range in which the dtype has all its digits.
 * 4. `weight' = weight * c` and `bias' = bias * c` per output channel (c = 1 / constant for a division), called
 *    `<weight>_fused_mul` or `_fused_div`; a missing bias stays missing.
 * 5. `constant * conv` and `mul_`, `div_` count too.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldConvMulOrDiv = definePass({
  name: 'fold-conv-mul-or-div',
  summary: 'Multiplies a constant into the weights of a frozen convolution instead of its result.',
  changesNumerics: true,
  run: (graph, cx) => foldMulOrDiv(graph, cx, 'convolution'),
})
