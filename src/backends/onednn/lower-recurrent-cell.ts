import { argument, type MemoryDescriptor, type RecurrentCell } from './binding/dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import { rowMajor, rowMajorOf } from './layout-choices.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { stateArguments, statesOf, weightArguments } from './recurrent-arguments.ts'
import { packLayer, type LayerWeights } from './recurrent-weights.ts'

const cells: Readonly<Record<string, RecurrentCell>> = {
  'aten::lstm_cell': 'lstm',
  'aten::gru_cell': 'gru',
  'aten::rnn_tanh_cell': 'tanh',
  'aten::rnn_relu_cell': 'relu',
}

/** A layer of one step. Its sequence is its hidden state once more, which nobody needs twice. */
const lowerCell: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const [input, hx] = [args.tensor('input'), args.value('hx')]
  if (!input || !hx) return 'its operands are no tensors'
  const { dtype, sizes, numel } = lowering.tensorOf(input)
  if (dtype !== 'float32') return `no kernel for ${dtype}`
  if (numel === 0) return 'its input is empty'
  const weights = readWeights(args)
  if (typeof weights === 'string') return weights
  const [batch, units] = [sizes[0]!, lowering.tensorOf(weights.hidden).sizes[1]!]
  if (statesOf(hx).some((value) => lowering.tensorOf(value).sizes[1] !== units))
    return 'its states have two widths'
  const layer = packLayer(lowering, node, cells[node.kind]!, weights)
  if (!layer) return 'the library cannot add its biases'
  const [source, state, destination] = [
    [1, ...sizes],
    [1, 1, batch, units],
    [1, batch, units],
  ].map((each) => rowMajor(lowering, each)) as [MemoryDescriptor, MemoryDescriptor, MemoryDescriptor]
  const primitive = lowering.tryCreate({
    kind: 'recurrence',
    cell: cells[node.kind]!,
    backwards: false,
    source,
    state,
    weights: layer.weights.descriptor,
    stateWeights: layer.stateWeights.descriptor,
    bias: layer.bias.descriptor,
    destination,
  })
  if (primitive === undefined) return 'the library has no such recurrence'
  const first = statesOf(hx).map((value) => ({ ...rowMajorOf(lowering, value), descriptor: state }))
  const last = node.outputs.map((value) => ({ ...lowering.defineHome(value), descriptor: state }))
  const inputs = [
    { argument: argument.source, placement: { ...rowMajorOf(lowering, input), descriptor: source } },
    ...weightArguments(layer),
    ...stateArguments(first, last),
  ]
  lowering.add(primitive, [node], inputs, lowering.allocate(destination))
  return undefined
}

function readWeights(args: CallArguments): LayerWeights | string {
  const [input, hidden, inputBias, hiddenBias] = ['w_ih', 'w_hh', 'b_ih', 'b_hh'].map((name) =>
    args.tensor(name),
  )
  if (!input || !hidden) return 'its weights are no tensors'
  if (inputBias && hiddenBias) return { input, hidden, biases: [inputBias, hiddenBias] }
  return inputBias || hiddenBias ? 'it has one bias only' : { input, hidden, biases: undefined }
}

export const recurrentCellRules: Readonly<Record<string, LoweringRule>> = Object.fromEntries(
  Object.keys(cells).map((kind) => [kind, lowerCell]),
)
