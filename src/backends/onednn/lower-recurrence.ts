import type { Node, Value } from '../../ir/graph.ts'
import { contiguousStrides } from '../../tensor/tensor.ts'
import { argument, type MemoryDescriptor, type Primitive, type RecurrentCell } from './binding/dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import { rowMajor, rowMajorOf } from './layout-choices.ts'
import type { LoweringRule } from './lowering-rules.ts'
import type { Lowering } from './lowering.ts'
import type { Placement } from './placement.ts'
import { stateArguments, statesOf, weightArguments } from './recurrent-arguments.ts'
import { packLayer, type LayerWeights, type PackedLayer } from './recurrent-weights.ts'

const cells: Readonly<Record<string, RecurrentCell>> = {
  'aten::lstm': 'lstm',
  'aten::gru': 'gru',
  'aten::rnn_tanh': 'tanh',
  'aten::rnn_relu': 'relu',
}

/** What a node of `aten::lstm.input` and its kin computes. */
interface Recurrence {
  readonly cell: RecurrentCell
  readonly input: Value
  /** The hidden state, and an LSTM's memory. */
  readonly states: readonly Value[]
  /** Layer by layer, each in both directions. */
  readonly weights: readonly LayerWeights[]
  readonly directions: number
  readonly batchFirst: boolean
  readonly units: number
}

/** A primitive for each layer and direction; both directions write into one sequence, side by side. */
const lowerRecurrence: LoweringRule = (node, lowering) => {
  const recurrence = readRecurrence(node, lowering)
  if (typeof recurrence === 'string') return recurrence
  const { cell, weights } = recurrence
  const sequences = sequencesOf(node, lowering, recurrence)
  const packed = weights.map((each) => packLayer(lowering, node, cell, each))
  if (!packed.every((layer) => layer !== undefined)) return 'the library cannot add its biases'
  const primitives = packed.map((each, i) => createPrimitive(lowering, recurrence, each, sequences, i))
  if (!primitives.every((primitive) => primitive !== undefined)) return 'the library has no such recurrence'
  addSteps(node, lowering, recurrence, packed, sequences, primitives)
  return undefined
}

function readRecurrence(node: Node, lowering: Lowering): Recurrence | string {
  const args = new CallArguments(node, lowering)
  const [input, hx] = [args.tensor('input'), args.value('hx')]
  if (!input || !hx) return 'its sequences are packed'
  const { dtype, numel } = lowering.tensorOf(input)
  if (dtype !== 'float32') return `no kernel for ${dtype}`
  if (numel === 0) return 'its input is empty'
  const states = statesOf(hx)
  const widths = new Set(states.map((state) => lowering.tensorOf(state).sizes.at(-1)!))
  const [units] = widths
  if (widths.size !== 1 || !units) return 'it projects its hidden state'
  return {
    cell: cells[node.kind]!,
    input,
    states,
    weights: groupWeights(args.value('params')!.node.inputs, args.number('has_biases') === 1),
    directions: args.number('bidirectional') === 1 ? 2 : 1,
    batchFirst: args.number('batch_first') === 1,
    units,
  }
}

function groupWeights(params: readonly Value[], hasBiases: boolean): readonly LayerWeights[] {
  const each = hasBiases ? 4 : 2
  return Array.from({ length: params.length / each }, (_, i) => {
    const [input, hidden, ...biases] = params.slice(i * each) as [Value, Value, Value, Value]
    return { input, hidden, biases: hasBiases ? [biases[0], biases[1]] : undefined }
  })
}

/** What a recurrence reads and writes, as steps × batch × features. */
interface Sequences {
  readonly input: Placement
  /** Between layers. */
  readonly inner: MemoryDescriptor
  readonly output: MemoryDescriptor
}

function sequencesOf(node: Node, lowering: Lowering, recurrence: Recurrence): Sequences {
  const { input, batchFirst } = recurrence
  const output = lowering.tensorOf(node.output(0))
  const [steps, batch] = stepsFirst(output.sizes, batchFirst)
  const sizes = [steps, batch, output.sizes[2]!]
  const { dnnl } = lowering
  return {
    input: inputSequence(lowering, input, batchFirst),
    inner: rowMajor(lowering, sizes),
    output: dnnl.describe('float32', sizes, stepsFirst(output.strides, batchFirst)),
  }
}

function stepsFirst([a, b, c]: readonly number[], batchFirst: boolean): [number, number, number] {
  return batchFirst ? [b!, a!, c!] : [a!, b!, c!]
}

/** The input where it is, if steps or sequences lie one behind the other there; row-major otherwise. */
function inputSequence(lowering: Lowering, input: Value, batchFirst: boolean): Placement {
  const { sizes } = lowering.tensorOf(input)
  const [outer, inner, features] = sizes as [number, number, number]
  const orders = [contiguousStrides(sizes), [features, outer * features, 1]]
  const there = lowering.current(input)
  const found = orders.find((strides) =>
    there.descriptor.equals(lowering.dnnl.describe('float32', sizes, strides)),
  )
  const strides = stepsFirst(found ?? orders[0]!, batchFirst)
  return {
    ...(found ? there : rowMajorOf(lowering, input)),
    descriptor: lowering.dnnl.describe('float32', stepsFirst([outer, inner, features], batchFirst), strides),
  }
}

/** Of one layer in one direction. */
function stateDescriptor(lowering: Lowering, { inner }: Sequences, units: number): MemoryDescriptor {
  return rowMajor(lowering, [1, 1, inner.sizes[1]!, units])
}

/** The part of a sequence that a direction writes. */
function partOf(lowering: Lowering, sequence: MemoryDescriptor, units: number): MemoryDescriptor {
  return lowering.dnnl.describe('float32', [...sequence.sizes.slice(0, 2), units], sequence.strides!)
}

function createPrimitive(
  lowering: Lowering,
  { cell, weights, directions, units }: Recurrence,
  packed: PackedLayer,
  sequences: Sequences,
  index: number,
): Primitive | undefined {
  const isLast = index >= weights.length - directions
  return lowering.tryCreate({
    kind: 'recurrence',
    cell,
    backwards: index % directions === 1,
    source: index < directions ? sequences.input.descriptor : sequences.inner,
    state: stateDescriptor(lowering, sequences, units),
    weights: packed.weights.descriptor,
    stateWeights: packed.stateWeights.descriptor,
    bias: packed.bias.descriptor,
    destination: partOf(lowering, isLast ? sequences.output : sequences.inner, units),
  })
}

function addSteps(
  node: Node,
  lowering: Lowering,
  { directions, states, units }: Recurrence,
  packed: readonly PackedLayer[],
  sequences: Sequences,
  primitives: readonly Primitive[],
): void {
  const descriptor = stateDescriptor(lowering, sequences, units)
  const first = states.map((state) => rowMajorOf(lowering, state))
  const last = node.outputs.slice(1).map((state) => lowering.defineHome(state))
  const output = { ...lowering.defineHome(node.output(0)), descriptor: sequences.output }
  let source = sequences.input
  for (let layer = 0; layer < primitives.length; layer += directions) {
    const isLast = layer + directions === primitives.length
    const sequence = isLast ? output : lowering.allocate(sequences.inner)
    for (let index = layer; index < layer + directions; index++) {
      const stateAt = (whole: Placement): Placement => ({
        ...whole,
        descriptor,
        offset: whole.offset + index * descriptor.byteLength,
      })
      const inputs = [
        { argument: argument.source, placement: source },
        ...weightArguments(packed[index]!),
        ...stateArguments(first.map(stateAt), last.map(stateAt)),
      ]
      lowering.add(primitives[index]!, [node], inputs, {
        ...sequence,
        descriptor: partOf(lowering, sequence.descriptor, units),
        offset: sequence.offset + 4 * units * (index - layer),
      })
    }
    source = sequence
  }
}

export const recurrenceRules: Readonly<Record<string, LoweringRule>> = Object.fromEntries(
  Object.keys(cells).map((kind) => [kind, lowerRecurrence]),
)
