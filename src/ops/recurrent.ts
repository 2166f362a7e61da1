import { contiguousStrides, Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { dropout } from './dropout.ts'
import { OperatorArgumentError } from './errors.ts'
import {
  floatsOf,
  forKernel,
  fromKernel,
  kernelDType,
  requireFloating,
  requireSameDType,
} from './float-compute.ts'
import { stack } from './joining.ts'
import { linear } from './linear.ts'
import type { EvaluationContext } from './operator.ts'
import { stepCell, type Cell, type CellState, type RecurrentWeights } from './recurrent-cell.ts'
import { narrow, select } from './slicing.ts'
import { allocateFor, cloneAs, copyInto } from './tensor-access.ts'

export interface RecurrentOptions {
  readonly has_biases: boolean
  readonly num_layers: number
  readonly dropout: number
  readonly train: boolean
  readonly bidirectional: boolean
}

export interface Recurrence {
  /** As `data` was: one row of hidden states per step and sequence. */
  readonly output: Tensor
  /** Last states, (layers · directions) × batch × width: the hidden one, and an LSTM's memory. */
  readonly states: readonly Tensor[]
}

/**
 * Runs layers of cells over packed sequences: the rows of step 0, of step 1, …, where step t has `batches[t]` rows,
 * those of the longest sequences first (torch.nn.utils.rnn.PackedSequence). A sequence that has ended keeps its
 * state; backwards, one begins where its last row is.
 *
 * @param states hidden state, and memory where the cell has one; (layers · directions) × batch × width
 * @throws OperatorArgumentError when sizes, dtypes or the number of weights do not fit
 */
export function runRecurrence(
  cell: Cell,
  data: Tensor,
  batches: readonly number[],
  states: readonly Tensor[],
  params: readonly Tensor[],
  options: RecurrentOptions,
  context: EvaluationContext,
): Recurrence {
  const directions = options.bidirectional ? 2 : 1
  requireFloating(data, cell.name)
  const weights = groupWeights(cell, states, params, options, directions)
  checkStates(cell, data, states, batches[0]!, options.num_layers * directions)
  const last: CellState[] = []
  const sources = [data, ...states, ...params]
  let rows = forKernel(data)
  for (let layer = 0; layer < options.num_layers; layer++) {
    if (layer > 0 && options.train && options.dropout > 0)
      rows = dropout(rows, options.dropout, true, { feature: false, alpha: false }, () => context.random())
    const width = states[0]!.sizes[2]!
    const output = allocateFor(sources, rows.dtype, [rows.sizes[0]!, directions * width])
    for (let direction = 0; direction < directions; direction++) {
      const index = layer * directions + direction
      const state = stateAt(states, index, sources)
      checkWeights(cell, weights[index]!, rows, state)
      const part = narrow(output, 1, direction * width, width)
      last.push(runDirection(cell, weights[index]!, rows, batches, state, part, direction === 1))
    }
    rows = output
  }
  const kinds = cell.hasMemory ? (['hidden', 'memory'] as const) : (['hidden'] as const)
  return {
    output: fromKernel(rows, data.dtype),
    states: kinds.map((kind) => {
      const each = last.map((state) => state[kind]!)
      return fromKernel(stack(each, 0), data.dtype)
    }),
  }
}

function runDirection(
  cell: Cell,
  weights: RecurrentWeights,
  data: Tensor,
  batches: readonly number[],
  state: CellState,
  output: Tensor,
  backwards: boolean,
): CellState {
  if (output.isMeta) return state
  const gates = linear(data, weights.input, weights.inputBias)
  let end = data.sizes[0]!
  let start = 0
  for (const rows of backwards ? batches.toReversed() : batches) {
    end -= rows
    const first = backwards ? end : start
    const next = stepCell(cell, weights, gates, first, state, rows)
    floatsOf(state.hidden).set(floatsOf(next))
    copyInto(narrow(output, 0, first, rows), next)
    start += rows
  }
  return state
}

function stateAt(
  [hidden, memory]: readonly Tensor[],
  index: number,
  sources: readonly (Tensor | null)[],
): CellState {
  return ownState(select(hidden!, 0, index), memory === undefined ? null : select(memory, 0, index), sources)
}

/**
 * Copies of the states, row-major in the kernel's dtype, for `stepCell` to read and write; without elements where one
 * of the tensors that they will be computed from has none.
 */
export function ownState(
  hidden: Tensor,
  memory: Tensor | null,
  sources: readonly (Tensor | null)[],
): CellState {
  const isMeta = sources.some((source) => source?.isMeta === true)
  const copy = (tensor: Tensor): Tensor => {
    const dtype = kernelDType(tensor.dtype)
    return isMeta ? Tensor.meta(dtype, tensor.sizes) : cloneAs(tensor, dtype, contiguousStrides(tensor.sizes))
  }
  return { hidden: copy(hidden), memory: memory && copy(memory) }
}

/** The flat list of weights by layer and direction: w_ih, w_hh, then biases, then an LSTM's projection. */
function groupWeights(
  cell: Cell,
  states: readonly Tensor[],
  params: readonly Tensor[],
  { has_biases: hasBiases, num_layers: layers }: RecurrentOptions,
  directions: number,
): RecurrentWeights[] {
  const projected = cell.hasMemory && states.length === 2 && states[0]!.sizes[2] !== states[1]!.sizes[2]
  const each = 2 + (hasBiases ? 2 : 0) + (projected ? 1 : 0)
  if (layers < 1 || params.length !== each * layers * directions)
    throw new OperatorArgumentError(
      `${cell.name}: got an incorrect number of RNN parameters: ${params.length}, ` +
        `expected ${each} for each of ${layers * directions} layers and directions`,
      { argument: 'params' },
    )
  return Array.from({ length: layers * directions }, (_, i) => {
    const [input, hidden, ...rest] = params.slice(i * each, (i + 1) * each).map(forKernel)
    const [inputBias, hiddenBias] = hasBiases ? rest : []
    return {
      input: input!,
      hidden: hidden!,
      inputBias: inputBias ?? null,
      hiddenBias: hiddenBias ?? null,
      projection: projected ? rest.at(-1)! : null,
    }
  })
}

function checkStates(
  cell: Cell,
  data: Tensor,
  states: readonly Tensor[],
  batch: number,
  count: number,
): void {
  if (states.length !== (cell.hasMemory ? 2 : 1))
    throw new OperatorArgumentError(
      `${cell.name} expects ${cell.hasMemory ? 'two' : 'one'} hidden states, got ${states.length}`,
      { argument: 'hx' },
    )
  for (const state of states) {
    requireSameDType(data, { hx: state })
    if (state.dim !== 3 || state.sizes[0] !== count || state.sizes[1] !== batch)
      throw new OperatorArgumentError(
        `${cell.name}: expected hidden size [${count}, ${batch}, …], got ${sizesText(state.sizes)}`,
        { argument: 'hx' },
      )
  }
}

/** @throws OperatorArgumentError where the weights do not fit the input's and the state's width, or one another */
export function checkWeights(cell: Cell, weights: RecurrentWeights, input: Tensor, state: CellState): void {
  const width = state.hidden.sizes[1]!
  const units = state.memory?.sizes[1] ?? width
  const expected: [string, Tensor | null, number[]][] = [
    ['w_ih', weights.input, [cell.gates * units, input.sizes[1]!]],
    ['w_hh', weights.hidden, [cell.gates * units, width]],
    ['b_ih', weights.inputBias, [cell.gates * units]],
    ['b_hh', weights.hiddenBias, [cell.gates * units]],
    ['w_hr', weights.projection, [width, units]],
  ]
  for (const [argument, weight, sizes] of expected) {
    if (weight === null) continue
    requireSameDType(input, { [argument]: weight })
    if (weight.sizes.join() !== sizes.join())
      throw new OperatorArgumentError(
        `${cell.name}: expected ${argument} of size ${sizesText(sizes)}, got ${sizesText(weight.sizes)}`,
        { argument },
      )
  }
}
