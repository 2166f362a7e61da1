import type { Graph } from '../ir/graph.ts'
import { annotateWarns } from './annotate-warns.ts'
import { canonicalizeOutputs } from './canonicalize-outputs.ts'
import { propagateImmutableConstants } from './constant-propagation-immutable-types.ts'
import { poolConstants } from './constant-pooling.ts'
import { lowerSimpleTuples } from './lower-simple-tuples.ts'
import { normalizeOps } from './normalize-ops.ts'
import type { PassContext } from './pass.ts'
import { createContext } from './support/context.ts'

/**
 * What libtorch does to every graph right after compiling it, so that ours read the same (`NormalizeOps` and
 * `runCleanupPasses` in torch/csrc/jit/frontend/ir_emitter.cpp); in place.
 *
 * @param firstWarning number of the graph's first `aten::warn`
 * @returns the number after its last one
 */
export function cleanUpCompiledGraph(
  graph: Graph,
  firstWarning = 0,
  cx: PassContext = createContext(),
): number {
  normalizeOps(graph, cx)
  lowerSimpleTuples(graph, cx)
  propagateImmutableConstants(graph, cx)
  poolConstants(graph, cx)
  canonicalizeOutputs(graph, cx)
  return annotateWarns(graph, cx, firstWarning)
}
