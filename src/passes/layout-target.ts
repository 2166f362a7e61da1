import type { Node } from '../ir/graph.ts'
import type { Layout } from '../tensor/layout.ts'

/** In which layouts a target computes a node fastest; undefined where any row-major tensor serves. */
export interface LayoutPreference {
  /** One per input of the node. */
  readonly inputs: readonly (Layout | undefined)[]
  /** One per output of the node: how it comes, when the inputs are as preferred. */
  readonly outputs: readonly (Layout | undefined)[]
}

/** What a backend tells the layout passes. */
export interface LayoutTarget {
  readonly name: string
  /** Undefined when the node has no preference at all. */
  prefer(node: Node): LayoutPreference | undefined
  /**
   * Whether the target computes the node on tensors of that layout, giving outputs of it. Operands that hold a number per
   * channel may then come in the layout or row-major.
   */
  carries(node: Node, layout: Layout): boolean
}
