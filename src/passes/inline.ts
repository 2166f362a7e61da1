import { definePass } from './pass.ts'
import { optimizedGraph } from './preoptimize.ts'
import { inlineCalls } from './support/inline-calls.ts'

/**
 * Replaces calls by what they call, after torch/csrc/jit/passes/inliner.cpp:
 *
 * 1. `prim::CallMethod` on a class and `prim::CallFunction` become the callee's preoptimised graph
 *    (`optimizedGraph`), with the arguments in the place of its inputs.
 * 2. The debug names of the call's outputs go over to the values that replace them.
 * 3. Calls through an interface stay: only freezing knows the module behind it.
 */
export const inline = definePass({
  name: 'inline',
  summary: 'Replaces calls of methods and functions by their bodies.',
  run: (graph, cx) => void inlineCalls(graph, cx, optimizedGraph),
})
