import type { Node, Value } from '../../ir/graph.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { RecurrentCell } from './binding/dnnl.ts'
import { addBiases, arrangeWeights } from './computed-recurrent-weights.ts'
import { packBiases, packWeights } from './constant-recurrent-weights.ts'
import type { Lowering } from './lowering.ts'
import type { Placement } from './placement.ts'
import type { BiasGate } from './recurrent-weight-layout.ts'

/** The weights of one layer in one direction, as libtorch has them: gates · units × features. */
export interface LayerWeights {
  readonly input: Value
  readonly hidden: Value
  readonly biases: readonly [input: Value, hidden: Value] | undefined
}

/** The same as a primitive takes them. */
export interface PackedLayer {
  readonly weights: Placement
  readonly stateWeights: Placement
  readonly bias: Placement
}

interface Gates {
  /** Where the library's gates are among libtorch's (torch.nn.GRU: reset, update, new). */
  readonly order: readonly number[]
  readonly biases: readonly BiasGate[]
}

const gatesOf: Readonly<Record<RecurrentCell, Gates>> = {
  lstm: { order: [0, 1, 2, 3], biases: [0, 1, 2, 3].map((gate) => [gate, gate]) },
  // The state's bias in the new gate stands alone: it is reset with the state's product.
  gru: {
    order: [1, 0, 2],
    biases: [
      [1, 1],
      [0, 0],
      [2, undefined],
      [undefined, 2],
    ],
  },
  tanh: { order: [0], biases: [[0, 0]] },
  relu: { order: [0], biases: [[0, 0]] },
}

/**
 * Constants are packed now, others are brought into the layout at every run.
 *
 * @returns undefined where the library cannot add biases
 */
export function packLayer(
  lowering: Lowering,
  node: Node,
  cell: RecurrentCell,
  { input, hidden, biases }: LayerWeights,
): PackedLayer | undefined {
  const { order } = gatesOf[cell]
  const place = (weights: Value): Placement => {
    const constant = lowering.constantOf(weights)
    return constant instanceof Tensor
      ? packWeights(lowering, constant, order)
      : arrangeWeights(lowering, node, weights, order)
  }
  const bias = placeBiases(lowering, node, cell, lowering.tensorOf(hidden).sizes[1]!, biases)
  return bias && { weights: place(input), stateWeights: place(hidden), bias }
}

function placeBiases(
  lowering: Lowering,
  node: Node,
  cell: RecurrentCell,
  units: number,
  biases: LayerWeights['biases'],
): Placement | undefined {
  const gates = gatesOf[cell].biases
  if (!biases) return packBiases(lowering, undefined, gates, units)
  const [input, hidden] = biases.map((bias) => lowering.constantOf(bias))
  return input instanceof Tensor && hidden instanceof Tensor
    ? packBiases(lowering, [input, hidden], gates, units)
    : addBiases(lowering, node, biases, gates, units)
}
