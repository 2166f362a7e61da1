import type { Backend, Plan, PlanOptions } from '../../runtime/backend.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import { ConvolutionTuner } from './convolution-tuner.ts'
import type { Dnnl } from './dnnl.ts'
import { openOneDnn } from './library.ts'
import { lowerGraph } from './lower-graph.ts'
import { OneDnnPlan } from './onednn-plan.ts'
import { PackedWeights } from './weight-cache.ts'

/**
 * The backend that runs on the system's oneDNN.
 *
 * @throws OneDnnMissingError, OneDnnVersionError as `openOneDnn`
 */
export function createOneDnnBackend(dnnl: Dnnl = openOneDnn()): Backend {
  return new OneDnnBackend(dnnl)
}

class OneDnnBackend implements Backend {
  readonly name = 'onednn'
  readonly description: string
  readonly #dnnl: Dnnl
  readonly #packed: PackedWeights
  readonly #tuner: ConvolutionTuner

  constructor(dnnl: Dnnl) {
    this.#dnnl = dnnl
    this.#packed = new PackedWeights(dnnl)
    this.#tuner = new ConvolutionTuner(dnnl)
    this.description = `oneDNN ${dnnl.version}`
  }

  plan(graph: SpecialisedGraph, { threads = 1, tune = false }: PlanOptions): Plan {
    this.#dnnl.setThreads(threads)
    return new OneDnnPlan(
      lowerGraph(this.#dnnl, graph, this.#packed, { tuner: tune ? this.#tuner : undefined }),
      threads,
    )
  }

  dispose(): void {
    this.#dnnl.dispose()
  }
}
