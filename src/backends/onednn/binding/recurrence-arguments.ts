import { forwardInference, type Conventions, type OperationArguments } from './conventions.ts'
import type { RecurrenceOperation } from './dnnl.ts'
import type { CArgument } from './foreign-library.ts'
import { pointerTo } from './native-descriptor.ts'

const noFlags = 0

/** What `dnnl_lstm_forward…`, `dnnl_lbr_gru_forward…` and `dnnl_vanilla_rnn_forward…` take (dnnl.h). */
export function recurrenceArguments(
  operation: RecurrenceOperation,
  conventions: Conventions,
): OperationArguments {
  const { cell } = operation
  if (cell === 'lstm') return lstmArguments(operation, conventions)
  const [parameters, pointers] = operands(operation)
  const direction = directionOf(operation, conventions)
  if (cell === 'gru')
    return {
      name: 'lbr_gru_forward',
      parameters: `int kind, int direction, ${parameters}, uint flags`,
      args: [forwardInference, direction, ...pointers, noFlags],
    }
  const [activation, ...numbers] = conventions.eltwise(cell, 0, 0)
  return {
    name: 'vanilla_rnn_forward',
    parameters: `int kind, int activation, int direction, ${parameters}, uint flags, float alpha, float beta`,
    args: [forwardInference, activation, direction, ...pointers, noFlags, ...numbers],
  }
}

/** Both states have the same layout, before and after. */
function lstmArguments(operation: RecurrenceOperation, conventions: Conventions): OperationArguments {
  const { source, state, weights, stateWeights, bias, destination } = operation
  const [hidden, memory] = [pointerTo(state), pointerTo(state)]
  const more = conventions.hasMoreWeights ? [null, null] : []
  return {
    name: 'lstm_forward',
    parameters:
      'int kind, int direction, void* src, void* h, void* c, void* w, void* u, ' +
      (conventions.hasMoreWeights ? 'void* peephole, void* projection, ' : '') +
      'void* bias, void* dst, void* lastH, void* lastC, uint flags',
    args: [
      ...[forwardInference, directionOf(operation, conventions), pointerTo(source), hidden, memory],
      ...[pointerTo(weights), pointerTo(stateWeights), ...more, pointerTo(bias)],
      ...[pointerTo(destination), hidden, memory, noFlags],
    ],
  }
}

function operands({
  source,
  state,
  weights,
  stateWeights,
  bias,
  destination,
}: RecurrenceOperation): readonly [parameters: string, pointers: readonly CArgument[]] {
  const pointers = [source, state, weights, stateWeights, bias, destination, state]
  return ['void* src, void* h, void* w, void* u, void* bias, void* dst, void* lastH', pointers.map(pointerTo)]
}

function directionOf({ backwards }: RecurrenceOperation, { forwards }: Conventions): number {
  return forwards + (backwards ? 1 : 0)
}
