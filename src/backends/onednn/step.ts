import type { Node, Value } from '../../ir/graph.ts'
import type { Primitive } from './binding/dnnl.ts'
import type { PlanBuffer, Placement } from './placement.ts'

/** One argument of a step. */
export interface StepArgument {
  readonly argument: number
  readonly placement: Placement
  readonly written?: boolean
}

/** A primitive to run. */
export interface PrimitiveStep {
  readonly kind: 'primitive'
  readonly primitive: Primitive
  readonly arguments: readonly StepArgument[]
  readonly nodes: readonly Node[]
  /** It computes nothing, but brings a value into another layout. */
  readonly isReorder: boolean
}

/** A node to run with its reference kernel, on tensors in the plan's memory. */
export interface ReferenceStep {
  readonly kind: 'reference'
  readonly node: Node
  readonly inputs: readonly Value[]
  /** Undefined for what the node writes in place, or gives as a look at an input. */
  readonly outputs: readonly (Value | undefined)[]
  /** That it touches. */
  readonly buffers: ReadonlySet<PlanBuffer>
  readonly reason: string
}

export type Step = PrimitiveStep | ReferenceStep
