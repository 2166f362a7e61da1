import type { IValue } from '../ir/ivalue.ts'
import type { Operator } from '../ops/operator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { SpecialisedGraph } from './specialise.ts'

export interface PlanOptions {
  /** Threads that kernels may use; 1 when left out. */
  readonly threads?: number
  /** Measures alternatives where the backend has several, and keeps the fastest. */
  readonly tune?: boolean
  /** Brings every result back to row-major memory: tells what layouts that stay between kernels are worth. */
  readonly rowMajorActivations?: boolean
}

/** One step of a plan: what ran where, and why. */
export interface StepReport {
  /** Kinds of the nodes that the step computes, in their order: `aten::conv2d + aten::relu`. */
  readonly nodes: string
  /** Debug name of what it computes. */
  readonly value: string
  /** `onednn`, `reference` */
  readonly backend: string
  /** The kernel: `jit:avx512_core`. */
  readonly implementation: string
  /** Layouts of what goes in and comes out: `abcd → aBcd16b`. */
  readonly layout: string
  /** Why a better backend does not serve. */
  readonly reason?: string
  /** Of the last profiled run. */
  readonly milliseconds?: number
}

export interface PlanReport {
  readonly steps: readonly StepReport[]
  /** Bytes of the arena, of all that lies in it one behind the other, and the least that any plan could take. */
  readonly arenaBytes: number
  readonly sumBytes: number
  readonly lowerBound: number
  /** Of packed weights that belong to the plan. */
  readonly constantBytes: number
}

/** A specialised graph, compiled: it can run again and again, one run at a time. */
export interface Plan {
  /**
   * @param inputs one per input of the graph, of the dtypes and sizes that it was specialised to
   * @returns one fresh tensor per output
   */
  run(inputs: readonly Tensor[], profile?: boolean): readonly Tensor[]
  report(): PlanReport
  dispose(): void
}

/** What runs specialised graphs. */
export interface Backend {
  readonly name: string
  /** Name and version, for a person. */
  readonly description: string
  /** Whether it rather has the simpler operators that this one is made of (`Operator.decompose`); no when left out. */
  prefersDecomposed?(operator: Operator, args: readonly IValue[]): boolean
  plan(graph: SpecialisedGraph, options: PlanOptions): Plan
  dispose(): void
}
