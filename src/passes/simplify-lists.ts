import type { Graph } from '../ir/graph.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { joinContainers } from './support/join-containers.ts'
import { optimizeContainers } from './support/peephole-containers.ts'

/**
 * Lists and dicts that are constructed in sight, after `RemoveListMutation`, `PeepholeOptimizeListIdioms` and
 * `PeepholeOptimizeDictIdioms` in torch/csrc/jit/passes:
 *
 * 1. `append`, `extend`, `+=` with a list that is constructed for it, and `d[k] = v` go into the construction, when the
 *    container is made in the same block and nobody looks at it before.
 * 2. Of a list that is never written: `len`, indexing by a constant, unpacking, slicing by constants, `+`.
 * 3. Of a dict that is never written and whose keys are constants: `len`, indexing, `in`, `get`, `keys`, `values`.
 * 4. `dict([(k, v), …])` of tuples that are constructed in sight is a construction.
 * 5. What has become dead goes.
 */
export function simplifyLists(graph: Graph, cx: PassContext): void {
  const joined = joinContainers(graph, cx)
  const changed = optimizeContainers(graph, { cx, shapes: true }, 'all')
  if (joined || changed) eliminateDeadCode(graph, cx)
}

export const simplifyListsPass = definePass({
  name: 'simplify-lists',
  summary: 'Answers what is asked of lists and dicts that are constructed in sight.',
  run: simplifyLists,
})
