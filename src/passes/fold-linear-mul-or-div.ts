import { definePass } from './pass.ts'
import { foldMulOrDiv } from './support/fold-arithmetic.ts'

/**
 * Multiplies a constant factor or divisor of a linear layer's result into its weight and bias instead: the rules of
 * `fold-conv-mul-or-div`, but the channels are in the last dimension, so that the constant has sizes [C] or is a number
 * (more dimensions only where the input is known to have as many). libtorch does this for convolutions only.
 */
export const foldLinearMulOrDiv = definePass({
  name: 'fold-linear-mul-or-div',
  summary: 'Multiplies a constant into the weights of a frozen linear layer instead of its result.',
  changesNumerics: true,
  run: (graph, cx) => foldMulOrDiv(graph, cx, 'linear'),
})
