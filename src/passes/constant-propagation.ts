import type { Graph } from '../ir/graph.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { propagateConstants } from './support/propagate-constants.ts'

/**
 * Computes what can be known without running, after torch/csrc/jit/passes/constant_propagation.cpp:
 *
 * 1. A pure node with constant inputs is computed, unless its inputs or outputs may share memory that anything in
 *    the graph writes, or its result cannot be a constant (a module, a tensor that requires grad).
 * 2. A `prim::If` with a constant condition is replaced by the block that is taken.
 * 3. An output of a `prim::If` that is the same on both paths is that value.
 * 4. A `prim::Loop` that is never entered is replaced by its initial values.
 * 5. A carried value that no iteration changes is no carried value.
 * 6. Nested blocks are treated alike; what has become dead goes.
 *
 * A node that fails to compute is left to fail at run time.
 */
export function propagateAllConstants(graph: Graph, cx: PassContext): boolean {
  const changed = propagateConstants(graph, cx, new Aliases(graph, cx))
  if (changed) eliminateDeadCode(graph, cx)
  return changed
}

export const constantPropagation = definePass({
  name: 'constant-propagation',
  summary: 'Computes nodes whose inputs are constants and folds conditions and loops that they decide.',
  run: (graph, cx) => void propagateAllConstants(graph, cx),
})
