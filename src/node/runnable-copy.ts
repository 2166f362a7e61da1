import { loadBytes, saveBytes } from '../load.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import { methodOf } from '../passes/support/inline-module.ts'
import { writesToConstants } from '../runtime/graph-traits.ts'
import type { ScriptModule } from '../script/load-module.ts'

/**
 * A module to run where the given one must stay as it is: a copy, read from what its file would hold, if the method may
 * change what the module keeps; else the module itself.
 *
 * @throws FreezeError for a method that does not exist; ModuleSaveError
 */
export function runnableCopy(module: ScriptModule, method: string): ScriptModule {
  const graph = inlinedGraph(methodOf(module.root, method))
  const isPure = graph.inputs[0]?.uses.length === 0 && !writesToConstants(graph)
  return isPure ? module : loadBytes(saveBytes(module))
}
