import { attributeOf } from '../ir/graph-editor.ts'
import type { Graph } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'

/**
 * Numbers the `aten::warn` nodes, so that each warns once per session: torch/csrc/jit/passes/annotate_warns.cpp.
 * libtorch counts through the process; here `next` is the first number and the one after the last is returned.
 */
export function annotateWarns(graph: Graph, cx: PassContext, next = 0): number {
  for (const node of graph.nodes('aten::warn')) {
    const id = next
    if (cx.rewrite(node, `warning ${id}`, (edit) => edit.setAttribute(node, 'warn_id', attributeOf(id))))
      next++
  }
  return next
}

export const annotateWarnsPass = definePass({
  name: 'annotate-warns',
  summary: 'Numbers the warnings of a graph.',
  run: (graph, cx) => void annotateWarns(graph, cx),
})
