import type { Graph } from '../../src/ir/graph.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { constantPropagation } from '../../src/passes/constant-propagation.ts'
import { eliminateDeadCodePass } from '../../src/passes/eliminate-dead-code.ts'
import { foldConvBatchNorm } from '../../src/passes/fold-conv-batch-norm.ts'
import { freezeFlags } from '../../src/passes/freeze-flags.ts'
import { freezeParams, paramNames } from '../../src/passes/freeze-params.ts'
import { runPasses } from '../../src/passes/pass-manager.ts'
import { peephole } from '../../src/passes/peephole.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { loadFixture } from '../support/fixture-models.ts'

export interface Step {
  /** Name of its file, and its heading. */
  readonly name: string
  readonly title: string
  readonly text: string
}

/** The graph of the worked example after each step of freezing it by name. */
export function workedExample(): Step[] {
  let module = loadFixture('cascade').root
  const steps: Step[] = []
  const add = (name: string, title: string, graph: Graph): void => {
    steps.push({ name, title, text: printGraph(graph, { names: 'renumbered' }) })
  }
  const forward = module.type.methods.get('forward')
  if (forward === undefined) throw new TypeError('the cascade has no forward')
  add('1-inlined', 'The inlined graph, as libtorch prints it', inlinedGraph(forward))
  for (const name of paramNames) module = freezeParams(module, 'forward', name).module
  const params = module.type.methods.get('forward')
  if (params) add('2-params', 'freezeParams: weight, bias, running_mean, running_var', params.graph)
  const { graph } = freezeFlags(module, 'forward', 'training', false)
  runPasses(graph, [peephole, constantPropagation, eliminateDeadCodePass], { verify: true })
  add('3-flags', 'freezeFlags training=false, constant propagation, dead code elimination', graph)
  runPasses(graph, [foldConvBatchNorm], { verify: true })
  add('4-folded', 'Batch norms folded into convolutions', graph)
  return steps
}
