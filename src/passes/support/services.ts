import { findOperator } from '../../ops/index.ts'
import { schemaOfNode } from '../../ops/schema-table.ts'
import type { PassServices } from '../pass.ts'
import { evaluateNode } from './evaluate-node.ts'

/** The services of `src/ops`: reference kernels and the table of schemas. */
export const defaultServices: PassServices = {
  evaluate(node, inputs) {
    return evaluateNode(node, inputs, this.schemaOf(node), (key) => this.findOperator(key))
  },
  schemaOf: schemaOfNode,
  findOperator,
}
