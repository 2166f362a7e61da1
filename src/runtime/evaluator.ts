import type { Node } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { createEnvironment } from './environment.ts'
import { Machine } from './machine.ts'
import { ruleOf } from './node-rules.ts'

/**
 * Runs one node, which has no blocks, on constant inputs: the evaluator that constant propagation is handed.
 *
 * @throws what the node's kernel throws; UnsupportedOperatorError for a node without one
 */
export function evaluateNode(node: Node, inputs: readonly IValue[]): readonly IValue[] {
  return ruleOf(node)(inputs, new Machine(createEnvironment()))
}
