import { oneDnnLayoutTarget } from '../backends/onednn/layout-target.ts'
import { openOneDnn } from '../backends/onednn/binding/library.ts'
import type { Graph } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { eliminateDeadCodePass } from '../passes/eliminate-dead-code.ts'
import { freeze } from '../passes/freeze-module.ts'
import { insertReordersFor } from '../passes/insert-reorders.ts'
import type { LayoutTarget } from '../passes/layout-target.ts'
import { runPasses } from '../passes/pass-manager.ts'
import { layoutPipelineFor } from '../passes/pipelines.ts'
import { propagateLayoutsFor } from '../passes/propagate-layouts.ts'
import { blockedTarget, carriesChannels } from '../passes/support/blocked-target.ts'
import { bindInputs } from '../runtime/input-binding.ts'
import { DataDependentError } from '../runtime/data-dependence.ts'
import { specialise, type SpecialisedGraph } from '../runtime/specialise.ts'
import type { Arguments } from './arguments.ts'
import { SplitGraphError, UsageError } from './errors.ts'
import { flagsOf } from './freeze.ts'
import { inputsOrSamples } from './inputs.ts'
import { findMethod, loadModel } from './model.ts'
import { passOptions, stopOption } from './pass-options.ts'

const targets: Readonly<Record<string, () => LayoutTarget>> = {
  blocked: () => blockedTarget(),
  onednn: () => ({ ...oneDnnLayoutTarget(openOneDnn()), carries: carriesChannels }),
}

/**
 * The frozen graph, specialised to the shapes of the inputs that are given (or random ones), with the reorders that a
 * backend needs; `--after PASS` shows it behind that pass.
 */
export function laidOutGraph(args: Arguments, method: string, name: string): Graph {
  const target = targets[name]?.()
  if (target === undefined)
    throw new UsageError(`--layouts must be ${Object.keys(targets).join(' or ')}, not '${name}'`)
  const path = args.positionals[0] as string
  const model = loadModel(path)
  const { module } = freeze(model.root, {
    preserved: [...args.texts('preserve'), ...(method === 'forward' ? [] : [method])],
    flags: flagsOf(args),
    optimizeNumerics: !args.flag('no-fold'),
  })
  const fn = findMethod({ ...model, root: module }, method, path)
  const inputs = bindInputs(
    fn.schema,
    inputsOrSamples(args, () => module, method),
  )
  const steps = [
    eliminateDeadCodePass,
    ...layoutPipelineFor(insertReordersFor(target), propagateLayoutsFor(target)),
  ]
  const stop = stopOption(args, 'after', steps)
  const { graph } = specialised(fn.graph, [module, ...inputs])
  runPasses(graph, steps, { ...passOptions(args), ...stop })
  return graph
}

/** @throws SplitGraphError for a graph that is planned in parts: only when it runs is it known which */
function specialised(graph: Graph, inputs: readonly IValue[]): SpecialisedGraph {
  try {
    return specialise(graph, inputs)
  } catch (error) {
    if (!(error instanceof DataDependentError)) throw error
    throw new SplitGraphError(
      `--layouts cannot show this graph as a whole: ${error.found}`,
      error.place,
      'A session splits it around such nodes; run --backend onednn --explain tells the layouts of its parts.',
      { cause: error },
    )
  }
}
