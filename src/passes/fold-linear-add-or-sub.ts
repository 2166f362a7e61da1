import { definePass } from './pass.ts'
import { foldAddOrSub } from './support/fold-arithmetic.ts'

/**
 * Adds a constant that is added to or subtracted from a linear layer's result to its bias instead: the rules of
 * `fold-conv-add-or-sub`, but the channels are in the last dimension, so that the constant has sizes [C] or is a number
 * (more dimensions only where the input is known to have as many). libtorch does this for convolutions only.
 */
export const foldLinearAddOrSub = definePass({
  name: 'fold-linear-add-or-sub',
  summary: 'Adds a constant to the bias of a frozen linear layer instead of to its result.',
  changesNumerics: true,
  run: (graph, cx) => foldAddOrSub(graph, cx, 'linear'),
})
