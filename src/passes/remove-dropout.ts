import { schemaKey } from '../ir/schema.ts'
import type { Graph } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { constantBool } from './support/constants.ts'

/**
 * Dropout that does not train gives its input back, the very same tensor
 * (torch/csrc/jit/passes/remove_dropout.cpp): in-place and feature-wise kinds alike.
 */
export function removeDropout(graph: Graph, cx: PassContext): void {
  for (const node of graph.nodes()) {
    const schema = cx.schemaOf(node)
    if (schema === undefined || cx.findOperator(schemaKey(schema))?.role !== 'dropout') continue
    const train =
      node.inputs[schema.arguments.findIndex(({ name }) => name === 'train' || name === 'training')]
    if (train === undefined || constantBool(train) !== false) cx.miss(node, 'it trains, or may train')
    else
      cx.rewrite(node, 'it does not train', (edit) => {
        edit.replaceAllUses(node.output(), node.input())
        edit.destroy(node)
      })
  }
}

export const removeDropoutPass = definePass({
  name: 'remove-dropout',
  summary: 'Removes dropout that does not train.',
  run: removeDropout,
})
