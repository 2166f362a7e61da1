import type { IValue } from '../../ir/ivalue.ts'
import type { Operator } from '../../ops/operator.ts'
import type { Backend, Plan, PlanOptions } from '../../runtime/backend.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import { tensorsIn } from '../../runtime/value-tensors.ts'
import { ConvolutionTuner } from './convolution-tuner.ts'
import type { Dnnl } from './binding/dnnl.ts'
import { openOneDnn } from './binding/library.ts'
import { lowerGraph } from './lower-graph.ts'
import { OneDnnPlan } from './onednn-plan.ts'
import { readPrepacked, type ExtraFiles } from './prepacked.ts'
import { PackedWeights, type PackedConstant } from './weight-cache.ts'

/**
 * The backend that runs on the system's oneDNN. Several may share the library.
 *
 * @param onPacked is told of every constant that had to be packed
 * @throws OneDnnMissingError, OneDnnVersionError as `openOneDnn`
 */
export function createOneDnnBackend(
  dnnl: Dnnl = openOneDnn(),
  onPacked?: (packed: PackedConstant) => void,
): OneDnnBackend {
  return new OneDnnBackend(dnnl, onPacked)
}

export class OneDnnBackend implements Backend {
  readonly name = 'onednn'
  readonly description: string
  readonly #dnnl: Dnnl
  readonly #packed: PackedWeights
  readonly #tuner: ConvolutionTuner
  #isTuned = false

  constructor(dnnl: Dnnl, onPacked?: (packed: PackedConstant) => void) {
    this.#dnnl = dnnl
    this.#packed = new PackedWeights(dnnl, onPacked)
    this.#tuner = new ConvolutionTuner(dnnl)
    this.description = `oneDNN ${dnnl.version}`
  }

  /** Measurements so far, for `usePrepacked` in another process. */
  get measurements(): Readonly<Record<string, number>> {
    return this.#tuner.measurements
  }

  /**
   * Takes packed constants and measurements from a file's `extra/`.
   *
   * @returns why they cannot be used here, if they cannot
   */
  usePrepacked(extra: ExtraFiles): string | undefined {
    const prepacked = readPrepacked(extra, this.#dnnl)
    if (prepacked === undefined) return undefined
    this.#packed.use(prepacked.constants)
    this.#tuner.know(prepacked.measurements)
    this.#isTuned ||= Object.keys(prepacked.measurements).length > 0
    return prepacked.mismatch
  }

  plan(
    graph: SpecialisedGraph,
    { threads = 1, tune = false, rowMajorActivations = false }: PlanOptions,
  ): Plan {
    this.#dnnl.setThreads(threads)
    return new OneDnnPlan(
      lowerGraph(this.#dnnl, graph, this.#packed, {
        tuner: tune || this.#isTuned ? this.#tuner : undefined,
        rowMajorActivations,
      }),
      threads,
    )
  }

  /** Of what the library computes; its kernels are for float32. */
  prefersDecomposed(_operator: Operator, args: readonly IValue[]): boolean {
    return args.every((arg) =>
      [...tensorsIn(arg)].every(({ dtype }) => dtype === 'float32' || dtype === 'bool'),
    )
  }

  /** The library stays open: others may use it. */
  dispose(): void {
    this.#isTuned = false
  }
}
