import { invariant } from '../errors.ts'
import type { Node } from '../ir/graph.ts'
import { layoutOfReorder } from '../ir/layout-attribute.ts'
import { copyInLayout } from '../tensor/convert-layout.ts'
import type { BlockedLayout } from '../tensor/layout.ts'
import { Tensor } from '../tensor/tensor.ts'
import { UnsupportedOperatorError } from './errors.ts'
import { defineNodeOp, type Operator } from './operator.ts'

/**
 * `layout::reorder[to="nChw16c"](Tensor self)`: a copy of the tensor in the layout that the attribute `to` names (and
 * `groups`, where weights are grouped). To a layout without blocks it gives a strided tensor.
 */
export const layoutOperators: readonly Operator[] = [
  defineNodeOp('layout::reorder(Tensor self) -> Tensor', {
    bind: (node) => {
      let layout: BlockedLayout | undefined
      return ([self]) => {
        layout ??= ownLayout(node)
        invariant(self instanceof Tensor, 'layout::reorder of no tensor')
        return [copyInLayout(self, layout)]
      }
    },
  }),
]

function ownLayout(node: Node): BlockedLayout {
  const layout = layoutOfReorder(node)
  if (layout !== undefined) return layout
  throw new UnsupportedOperatorError(
    `only a backend can make the layout ${node.stringAttribute('to')}`,
    { node: node.kind },
    'run the graph with that backend',
  )
}
