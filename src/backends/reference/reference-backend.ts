import type { Value } from '../../ir/graph.ts'
import type { Backend, Plan, PlanReport } from '../../runtime/backend.ts'
import { runGraph } from '../../runtime/interpreter.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The backend that is always there and always right: plain TypeScript, a node at a time. */
export function createReferenceBackend(): Backend {
  return {
    name: 'reference',
    description: 'reference kernels',
    plan: (graph) => new ReferencePlan(graph),
    dispose: () => undefined,
  }
}

class ReferencePlan implements Plan {
  readonly #graph: SpecialisedGraph

  constructor(graph: SpecialisedGraph) {
    this.#graph = graph
  }

  run(inputs: readonly Tensor[]): readonly Tensor[] {
    return runGraph(this.#graph.graph, inputs) as readonly Tensor[]
  }

  report(): PlanReport {
    const nodes = [...this.#graph.graph.nodes()].filter(({ kind }) => kind.startsWith('aten::'))
    const bytes = nodes.flatMap((node) => node.outputs).reduce((sum, value) => sum + this.#bytesOf(value), 0)
    return {
      steps: nodes.map((node) => ({
        nodes: node.kind,
        value: node.outputs[0]?.debugName ?? '',
        backend: 'reference',
        implementation: 'reference',
        layout: '',
      })),
      arenaBytes: 0,
      sumBytes: bytes,
      lowerBound: 0,
      constantBytes: 0,
    }
  }

  #bytesOf(value: Value): number {
    return this.#graph.tensors.get(value)?.byteLength ?? 0
  }

  dispose(): void {
    // Nothing is held that the collector does not know.
  }
}
