import type { Tensor } from '../tensor/tensor.ts'
import { sigmoidOf } from './activation.ts'
import type { FloatArray } from './elementwise.ts'
import { floatsOf } from './float-compute.ts'
import { linear } from './linear.ts'
import { allocateFor } from './tensor-access.ts'

export interface RecurrentWeights {
  readonly input: Tensor
  readonly hidden: Tensor
  readonly inputBias: Tensor | null
  readonly hiddenBias: Tensor | null
  /** From the units to the hidden state that the cell gives out (LSTM only). */
  readonly projection: Tensor | null
}

/** One row of a batch at one step; `input` and `hidden` hold the gates' pre-activations, gate by gate. */
export interface GateRow {
  readonly units: number
  readonly input: FloatArray
  readonly inputAt: number
  readonly hidden: FloatArray
  readonly hiddenAt: number
  /** The state before: hidden state, or an LSTM's memory, which is changed in place. */
  readonly state: FloatArray
  readonly stateAt: number
  readonly out: FloatArray
}

export interface Cell {
  readonly name: string
  /** Pre-activations per unit. */
  readonly gates: number
  /** Whether it keeps a memory beside the hidden state. */
  readonly hasMemory: boolean
  /** Writes the next hidden state of a row to `out[row]`. */
  readonly next: (row: GateRow, outAt: number) => void
}

function elman(name: string, activation: (x: number) => number): Cell {
  return {
    name,
    gates: 1,
    hasMemory: false,
    next({ units, input, inputAt, hidden, hiddenAt, out }, outAt) {
      for (let i = 0; i < units; i++) out[outAt + i] = activation(input[inputAt + i]! + hidden[hiddenAt + i]!)
    },
  }
}

export const tanhCell = elman('rnn_tanh', Math.tanh)
export const reluCell = elman('rnn_relu', (x) => (x < 0 ? 0 : x))

/** Gates in the order reset, update, new (Cho et al. 2014; the reset gate applies after the product with weights). */
export const gruCell: Cell = {
  name: 'gru',
  gates: 3,
  hasMemory: false,
  next({ units, input, inputAt, hidden, hiddenAt, state, stateAt, out }, outAt) {
    for (let i = 0; i < units; i++) {
      const [x, h] = [inputAt + i, hiddenAt + i]
      const reset = sigmoidOf(input[x]! + hidden[h]!)
      const update = sigmoidOf(input[x + units]! + hidden[h + units]!)
      const fresh = Math.tanh(input[x + 2 * units]! + reset * hidden[h + 2 * units]!)
      out[outAt + i] = (state[stateAt + i]! - fresh) * update + fresh
    }
  },
}

/** Gates in the order input, forget, cell, output (Hochreiter & Schmidhuber 1997, with forget gates). */
export const lstmCell: Cell = {
  name: 'lstm',
  gates: 4,
  hasMemory: true,
  next({ units, input, inputAt, hidden, hiddenAt, state, stateAt, out }, outAt) {
    for (let i = 0; i < units; i++) {
      const [x, h, s] = [inputAt + i, hiddenAt + i, stateAt + i]
      const admitted = sigmoidOf(input[x]! + hidden[h]!)
      const kept = sigmoidOf(input[x + units]! + hidden[h + units]!)
      const fresh = Math.tanh(input[x + 2 * units]! + hidden[h + 2 * units]!)
      const shown = sigmoidOf(input[x + 3 * units]! + hidden[h + 3 * units]!)
      state[s] = kept * state[s]! + admitted * fresh
      out[outAt + i] = shown * Math.tanh(state[s])
    }
  },
}

/** What the cell carries from step to step, row-major, one row per sequence; memory only where it has one. */
export interface CellState {
  readonly hidden: Tensor
  readonly memory: Tensor | null
}

/**
 * The hidden states after one step of the first `rows` sequences. Reads the gates of the input (…× gates·units,
 * row-major) from row `first` on; changes `memory` in place, and leaves `hidden` as it is.
 */
export function stepCell(
  cell: Cell,
  weights: RecurrentWeights,
  inputGates: Tensor,
  first: number,
  { hidden, memory }: CellState,
  rows: number,
): Tensor {
  const width = hidden.sizes[1]!
  const units = weights.hidden.sizes[0]! / cell.gates
  const active = hidden.asStrided([rows, width], [width, 1], 0)
  const gates = linear(active, weights.hidden, weights.hiddenBias)
  const result = allocateFor([gates], hidden.dtype, [rows, units])
  if (!result.isMeta) computeRows(cell, inputGates, first, gates, memory ?? hidden, result)
  return weights.projection === null ? result : linear(result, weights.projection, null)
}

function computeRows(
  cell: Cell,
  inputGates: Tensor,
  first: number,
  hiddenGates: Tensor,
  states: Tensor,
  result: Tensor,
): void {
  const [rows, units] = result.sizes as [number, number]
  const [input, hidden, out] = [floatsOf(inputGates), floatsOf(hiddenGates), floatsOf(result)]
  const state = floatsOf(states)
  const stride = cell.gates * units
  for (let row = 0; row < rows; row++) {
    const [inputAt, hiddenAt] = [(first + row) * stride, row * stride]
    cell.next({ units, input, inputAt, hidden, hiddenAt, state, stateAt: row * units, out }, row * units)
  }
}
