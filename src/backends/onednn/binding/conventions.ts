import type { EltwiseAlgorithm } from './dnnl.ts'
import type { CArgument } from './foreign-library.ts'

/** `dnnl_prop_kind_t` of all that is done here (dnnl_types.h), the same in versions 2 and 3. */
export const forwardInference = 96

/** The part of a C function's name that says what it describes, and what it takes. */
export interface OperationArguments {
  readonly name: string
  readonly parameters: string
  readonly args: readonly CArgument[]
}

/** How versions of the library differ. */
export interface Conventions {
  /** The function's number, alpha and beta. */
  eltwise(
    algorithm: EltwiseAlgorithm,
    alpha: number,
    beta: number,
  ): readonly [code: number, alpha: number, beta: number]
  readonly names: {
    readonly convolution: string
    readonly deconvolution: string
    readonly pooling: string
    readonly softmax: string
  }
  /** Whether what keeps its sizes is described by source and destination, or by one descriptor for both. */
  readonly describesBoth: boolean
  readonly normalizationFlags: {
    readonly scale: number
    readonly shift: number
    readonly relu: number
  }
  /** The number of a recurrence from the first step to the last; that of the other direction comes next. */
  readonly forwards: number
  /** Whether an LSTM is asked for weights of peepholes and projections too. */
  readonly hasMoreWeights: boolean
}
