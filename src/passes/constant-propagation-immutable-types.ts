import type { Graph } from '../ir/graph.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { propagateConstants } from './support/propagate-constants.ts'

/**
 * As constant-propagation, but computes only nodes whose inputs and outputs cannot be written in place at all
 * (numbers, strings, tuples of them), so that it needs no alias analysis and gives the same when run twice:
 * `ConstantPropagationImmutableTypes` in torch/csrc/jit/passes/constant_propagation.cpp.
 */
export function propagateImmutableConstants(graph: Graph, cx: PassContext): boolean {
  const changed = propagateConstants(graph, cx, 'immutable types')
  if (changed) eliminateDeadCode(graph, cx)
  return changed
}

export const constantPropagationImmutableTypes = definePass({
  name: 'constant-propagation-immutable-types',
  summary:
    'Computes numbers, strings and tuples of them, and folds the conditions and loops that they decide.',
  run: (graph, cx) => void propagateImmutableConstants(graph, cx),
})
