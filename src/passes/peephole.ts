import type { Graph } from '../ir/graph.ts'
import { combine } from './combine-concats.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'
import { optimizeAliasSensitive } from './support/peephole-aliasing.ts'
import { optimizeContainers } from './support/peephole-containers.ts'
import { type PeepholeContext } from './support/peephole-rule.ts'
import { optimizeNumbers } from './support/peephole-numbers.ts'
import { optimizeTensors } from './support/peephole-tensors.ts'

const optimizeListsAndDicts = (graph: Graph, context: PeepholeContext): boolean =>
  optimizeContainers(graph, context, 'peephole')

/**
 * Small local simplifications, in the order of torch/csrc/jit/passes/peephole.cpp:
 *
 * 1. Tensors: `x.t().t()`, a number made a tensor and a number again; where shapes are known: `size`, `dim`,
 *    `dtype`, `device`, `len(x.size())`, an `expand` or `type_as` that changes nothing.
 * 2. Lists and dicts that are constructed in sight and never written: `len`, indexing, unpacking, slicing, `+`.
 * 3. `dim` of a convolution; `x + 0` and `x * 1` where sharing memory does not show.
 * 4. Numbers and None: `x is None` decided by the type, casts to the type that is there, `x and True`,
 *    `x == x`, integer sums with constants.
 * 5. A concatenation that is used in another one only is joined into it (combine-concats).
 * 6. What has become dead goes.
 *
 * @param options.shapes whether rules may rely on what tensor types state; callers inline graphs whose inputs may
 *   have other shapes
 */
export function optimizePeepholes(
  graph: Graph,
  cx: PassContext,
  options: { readonly shapes: boolean },
): boolean {
  const context = { cx, shapes: options.shapes }
  const changed = [optimizeTensors, optimizeListsAndDicts, optimizeAliasSensitive, optimizeNumbers].map(
    (optimize) => optimize(graph, context),
  )
  changed.push(combine(graph, cx))
  if (!changed.includes(true)) return false
  eliminateDeadCode(graph, cx, { aliases: false })
  return true
}

export const peephole = definePass({
  name: 'peephole',
  summary: 'Simplifies what a look at a few nodes and types decides.',
  run: (graph, cx) => void optimizePeepholes(graph, cx, { shapes: true }),
})
