import type { Value } from '../../ir/graph.ts'
import { argument } from './binding/dnnl.ts'
import type { Placement } from './placement.ts'
import type { PackedLayer } from './recurrent-weights.ts'
import type { StepArgument } from './step.ts'

/** The hidden state, and the memory of an LSTM, which takes a list of both. */
export function statesOf(hx: Value): readonly Value[] {
  return hx.node.kind === 'prim::ListConstruct' ? hx.node.inputs : [hx]
}

export function weightArguments({ weights, stateWeights, bias }: PackedLayer): readonly StepArgument[] {
  return [
    { argument: argument.weights, placement: weights },
    { argument: argument.stateWeights, placement: stateWeights },
    { argument: argument.bias, placement: bias },
  ]
}

export function stateArguments(
  first: readonly Placement[],
  last: readonly Placement[],
): readonly StepArgument[] {
  const [before, after] = [
    [argument.hidden, argument.memory],
    [argument.lastHidden, argument.lastMemory],
  ]
  return [
    ...first.map((placement, i) => ({ argument: before[i]!, placement })),
    ...last.map((placement, i) => ({ argument: after[i]!, placement, written: true })),
  ]
}
