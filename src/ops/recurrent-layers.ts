import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { forKernel, fromKernel, requireFloating, requireSameDType } from './float-compute.ts'
import { linear } from './linear.ts'
import { defineOp, type EvaluationContext, type Operator } from './operator.ts'
import { checkedBatches } from './packed-sequence.ts'
import { transpose } from './permuting.ts'
import {
  gruCell,
  lstmCell,
  reluCell,
  stepCell,
  tanhCell,
  type Cell,
  type RecurrentWeights,
} from './recurrent-cell.ts'
import { checkWeights, ownState, runRecurrence, type Recurrence, type RecurrentOptions } from './recurrent.ts'
import { reshape, view } from './reshaping.ts'

interface LayerArguments extends RecurrentOptions {
  readonly params: readonly Tensor[]
}

/** Sequences of one length: steps × batch × features, or batch first. */
function overSteps(
  cell: Cell,
  input: Tensor,
  states: readonly Tensor[],
  args: LayerArguments & { readonly batch_first: boolean },
  context: EvaluationContext,
): Recurrence {
  if (input.dim !== 3)
    throw new OperatorArgumentError(
      `${cell.name}: input must have 3 dimensions, got size ${sizesText(input.sizes)}`,
      { argument: 'input' },
    )
  const steps = args.batch_first ? transpose(input, 0, 1) : input
  const [length, batch, features] = steps.sizes as [number, number, number]
  if (length === 0) throw new OperatorArgumentError(`expected sequence length to be larger than 0 in RNN`)
  const batches = new Array<number>(length).fill(batch)
  const data = reshape(steps, [length * batch, features])
  const { output, states: last } = runRecurrence(cell, data, batches, states, args.params, args, context)
  const unpacked = view(output, [length, batch, output.sizes[1]!])
  return { output: args.batch_first ? transpose(unpacked, 0, 1) : unpacked, states: last }
}

function overPacked(
  cell: Cell,
  data: Tensor,
  batchSizes: Tensor,
  states: readonly Tensor[],
  args: LayerArguments,
  context: EvaluationContext,
): Recurrence {
  const batches = checkedBatches(batchSizes, data)
  return runRecurrence(cell, data, batches, states, args.params, args, context)
}

interface InputArguments extends LayerArguments {
  readonly input: Tensor
  readonly hx: Tensor
  readonly batch_first: boolean
}

interface DataArguments extends LayerArguments {
  readonly data: Tensor
  readonly batch_sizes: Tensor
  readonly hx: Tensor
}

interface CellArguments {
  readonly input: Tensor
  readonly w_ih: Tensor
  readonly w_hh: Tensor
  readonly b_ih: Tensor | null
  readonly b_hh: Tensor | null
}

/** One step of one layer: input is batch × features, states are batch × units. */
function oneStep(cell: Cell, states: readonly Tensor[], args: CellArguments): Tensor[] {
  const { input } = args
  requireFloating(input, `${cell.name}_cell`)
  if (states.length !== (cell.hasMemory ? 2 : 1))
    throw new OperatorArgumentError(`${cell.name}_cell expects two hidden states, got ${states.length}`, {
      argument: 'hx',
    })
  for (const state of [input, ...states])
    if (state.dim !== 2 || state.sizes[0] !== input.sizes[0])
      throw new OperatorArgumentError(
        `${cell.name}_cell: expected batches of vectors, got input of size ${sizesText(input.sizes)} ` +
          `and state of size ${sizesText(state.sizes)}`,
      )
  for (const state of states) requireSameDType(input, { hx: state })
  const sources = [input, ...states, args.w_ih, args.w_hh, args.b_ih, args.b_hh]
  const state = ownState(states[0]!, states[1] ?? null, sources)
  const own = (tensor: Tensor | null): Tensor | null => tensor && forKernel(tensor)
  const weights: RecurrentWeights = {
    input: forKernel(args.w_ih),
    hidden: forKernel(args.w_hh),
    inputBias: own(args.b_ih),
    hiddenBias: own(args.b_hh),
    projection: null,
  }
  const rows = forKernel(input)
  checkWeights(cell, weights, rows, state)
  const gates = linear(rows, weights.input, weights.inputBias)
  const next = stepCell(cell, weights, gates, 0, state, input.sizes[0]!)
  return [next, ...(state.memory ? [state.memory] : [])].map((tensor) => fromKernel(tensor, input.dtype))
}

const layerText =
  'Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional' as const

const cellParts = { w_ih: 'weight', w_hh: 'weight', b_ih: 'bias', b_hh: 'bias' } as const
const layerParts = { params: 'by-rank' } as const

/** The operators of a cell without a memory: over steps, over packed sequences, and one step. */
function simpleFamily(cell: Cell): Operator[] {
  const { name } = cell
  return [
    defineOp(
      `aten::${name}.input(Tensor input, Tensor hx, ${layerText}, bool batch_first) -> (Tensor, Tensor)`,
      {
        parts: layerParts,
        reference: (args: InputArguments, context) =>
          answer(overSteps(cell, args.input, [args.hx], args, context)),
      },
    ),
    defineOp(
      `aten::${name}.data(Tensor data, Tensor batch_sizes, Tensor hx, ${layerText}) -> (Tensor, Tensor)`,
      {
        parts: layerParts,
        reference: (args: DataArguments, context) =>
          answer(overPacked(cell, args.data, args.batch_sizes, [args.hx], args, context)),
      },
    ),
    defineOp(
      `aten::${name}_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor`,
      {
        parts: cellParts,
        reference: (args: CellArguments & { readonly hx: Tensor }) => oneStep(cell, [args.hx], args)[0]!,
      },
    ),
  ]
}

function answer({ output, states }: Recurrence): Tensor[] {
  return [output, ...states]
}

const lstm = [
  defineOp(
    `aten::lstm.input(Tensor input, Tensor[] hx, ${layerText}, bool batch_first) -> (Tensor, Tensor, Tensor)`,
    {
      parts: layerParts,
      reference: (args, context) => answer(overSteps(lstmCell, args.input, args.hx, args, context)),
    },
  ),
  defineOp(
    `aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, ${layerText}) -> (Tensor, Tensor, Tensor)`,
    {
      parts: layerParts,
      reference: (args, context) =>
        answer(overPacked(lstmCell, args.data, args.batch_sizes, args.hx, args, context)),
    },
  ),
  defineOp(
    'aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> (Tensor, Tensor)',
    { parts: cellParts, reference: (args) => oneStep(lstmCell, args.hx, args) },
  ),
]

export const recurrentOperators: readonly Operator[] = [
  ...lstm,
  ...[gruCell, tanhCell, reluCell].flatMap(simpleFamily),
]
