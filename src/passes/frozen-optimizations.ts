import type { ScriptObject } from '../ir/ivalue.ts'
import { totalsAfter } from './freeze-ledger.ts'
import { freeze, type FreezeOptions, type FrozenModule } from './freeze-module.ts'
import type { FreezePass } from './freeze-report.ts'
import { runPasses, type PassOptions } from './pass-manager.ts'
import type { PipelineStep } from './pass.ts'
import { inferencePipeline, numericsPipeline } from './pipelines.ts'
import { inlinedGraph } from './preoptimize.ts'
import { removeDropoutPass } from './remove-dropout.ts'
import { moduleWithGraph } from './support/derive-module.ts'
import { methodOf } from './support/inline-module.ts'

export interface FrozenOptimizationOptions extends PassOptions {
  /** Whether passes may run that change results in the last bits, such as folding batch norms; true by default. */
  readonly optimizeNumerics?: boolean
  /** Methods to optimise besides `forward`. */
  readonly preservedMethods?: readonly string[]
}

export interface OptimizedModule {
  readonly module: ScriptObject
  /** What each pass did, method by method. */
  readonly passes: readonly FreezePass[]
}

/**
 * The optimisations that `freeze` runs at its end, on a module that is frozen already: one that was frozen with
 * `optimizeNumerics: false`, or by libtorch (`torch.jit.run_frozen_optimizations`,
 * torch/csrc/jit/passes/frozen_graph_optimizations.cpp). Dropout that does not train is removed, then the numerics
 * pipeline runs until nothing changes. On a module that is not frozen little happens, as weights are no constants.
 *
 * @returns a new module; the given one stays as it is
 * @throws FreezeError when there is no such method
 */
export function runFrozenOptimizations(
  module: ScriptObject,
  options: FrozenOptimizationOptions = {},
): OptimizedModule {
  const numerics = options.optimizeNumerics === false ? [] : numericsPipeline
  return optimizeMethods(module, options.preservedMethods ?? [], [removeDropoutPass, ...numerics], options)
}

/**
 * Freezes the module and prepares it for nothing but running: besides what `freeze` does, parallel linear layers
 * become one, batch norms that are left a multiplication and an addition, and weights of linear layers are transposed
 * ahead of time (`torch.jit.optimize_for_inference`, as far as it stays within standard operators).
 *
 * @throws FreezeError as `freeze`
 */
export function optimizeForInference(module: ScriptObject, options: FreezeOptions = {}): FrozenModule {
  const frozen = freeze(module, options)
  const methods = (options.preserved ?? []).filter((name) => frozen.module.type.methods.has(name))
  const optimized = optimizeMethods(frozen.module, methods, inferencePipeline, options)
  const passes = [...frozen.report.passes, ...optimized.passes]
  const graphs = [...optimized.module.type.methods.values()].map((fn) => fn.graph)
  const totals = totalsAfter(frozen.report.totals, passes, graphs)
  return { module: optimized.module, report: { ...frozen.report, passes, totals } }
}

function optimizeMethods(
  module: ScriptObject,
  others: readonly string[],
  steps: readonly PipelineStep[],
  options: PassOptions,
): OptimizedModule {
  const passes: FreezePass[] = []
  const hasForward = module.type.methods.has('forward') || others.length === 0
  for (const name of new Set([...(hasForward ? ['forward'] : []), ...others])) {
    const graph = inlinedGraph(methodOf(module, name))
    passes.push(...runPasses(graph, steps, options).map((pass) => ({ ...pass, method: name })))
    module = moduleWithGraph(module, name, graph)
  }
  return { module, passes }
}
