import { definePass } from './pass.ts'
import { foldAddOrSub } from './support/fold-arithmetic.ts'

/**
 * Adds a constant that is added to or subtracted from a convolution's result to its bias instead, after
 * torch/csrc/jit/passes/frozen_conv_folding.cpp:
 *
 * 1. Nobody else uses the convolution's result, except to ask for its shape.
 * 2. The constant is a number, or a tensor that broadcasts to one number per channel: [C, 1, 1] and [1, C, 1, 1] in two
 *    dimensions, not [1, C] (which libtorch takes for it), and nothing that makes the result larger or longer.
 * 3. The result keeps the convolution's dtype: no float64 constant behind a float32 convolution (libtorch forgets).
 * 4. `bias' = bias ± alpha * constant`, called `<bias>_fused_add` or `_fused_sub`; a missing bias counts as 0.
 * 5. `constant + conv` and `add_`, `sub_` count too.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldConvAddOrSub = definePass({
  name: 'fold-conv-add-or-sub',
  summary: 'Adds a constant to the bias of a frozen convolution instead of to its result.',
  changesNumerics: true,
  run: (graph, cx) => foldAddOrSub(graph, cx, 'convolution'),
})
