import type { Graph } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { Machine } from './machine.ts'

/**
 * Runs a graph with the reference kernels: one value per input, one per output.
 *
 * @throws RaisedException when the model raises; UnsupportedOperatorError at a node without a kernel;
 * LimitExceededError; OperatorArgumentError and its kin from kernels. All name the node and its Python line.
 */
export function runGraph(
  graph: Graph,
  inputs: readonly IValue[],
  environment: Environment = createEnvironment(),
): readonly IValue[] {
  return new Machine(environment).run(graph, inputs)
}
