import type { Node, Value } from '../../ir/graph.ts'
import type { Lowering } from './lowering.ts'
import type { Epilogue } from './post-operations.ts'

export interface LoweringRequest {
  /** What is to be done before the result is stored; none unless the rule takes them. */
  readonly epilogues: readonly Epilogue[]
  /** Whether nobody needs the value's memory behind this step. */
  readonly mayOverwrite: (value: Value) => boolean
}

/** Adds the steps of a node; or adds none and says why not. */
export type LoweringRule = (node: Node, lowering: Lowering, request: LoweringRequest) => string | undefined
