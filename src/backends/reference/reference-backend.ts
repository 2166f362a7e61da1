import type { Node, Value } from '../../ir/graph.ts'
import type { Backend, Plan, PlanReport } from '../../runtime/backend.ts'
import { compileProgram } from '../../runtime/compile.ts'
import { createEnvironment } from '../../runtime/environment.ts'
import { runGraph } from '../../runtime/interpreter.ts'
import { Machine } from '../../runtime/machine.ts'
import { ruleOf } from '../../runtime/node-rules.ts'
import type { Program } from '../../runtime/program.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface ReferenceBackendOptions {
  /** A clock in milliseconds; without one a profile has no times. */
  readonly now?: () => number
}

/** The backend that is always there and always right: plain TypeScript, a node at a time. */
export function createReferenceBackend({ now }: ReferenceBackendOptions = {}): Backend {
  return {
    name: 'reference',
    description: 'reference kernels',
    plan: (graph) => new ReferencePlan(graph, now),
    dispose: () => undefined,
  }
}

class ReferencePlan implements Plan {
  readonly #graph: SpecialisedGraph
  readonly #now: (() => number) | undefined
  /** Milliseconds of each node in the last profiled run. */
  readonly #times = new Map<Node, number>()

  constructor(graph: SpecialisedGraph, now?: () => number) {
    this.#graph = graph
    this.#now = now
  }

  run(inputs: readonly Tensor[], profile = false): readonly Tensor[] {
    const outputs =
      profile && this.#now
        ? new Machine(createEnvironment()).runProgram(this.#timedProgram(this.#now), inputs)
        : runGraph(this.#graph.graph, inputs)
    return outputs as readonly Tensor[]
  }

  #timedProgram(now: () => number): Program {
    return compileProgram(this.#graph.graph, (node) => {
      const evaluate = ruleOf(node)
      return (args, machine) => {
        const start = now()
        const results = evaluate(args, machine)
        this.#times.set(node, now() - start)
        return results
      }
    })
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
        ...this.#timeOf(node),
      })),
      arenaBytes: 0,
      sumBytes: bytes,
      lowerBound: 0,
      constantBytes: 0,
    }
  }

  #timeOf(node: Node): { milliseconds?: number } {
    const milliseconds = this.#times.get(node)
    return milliseconds === undefined ? {} : { milliseconds }
  }

  #bytesOf(value: Value): number {
    return this.#graph.tensors.get(value)?.byteLength ?? 0
  }

  dispose(): void {
    // Nothing is held that the collector does not know.
  }
}
