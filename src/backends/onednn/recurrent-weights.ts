import { cat } from '../../ops/joining.ts'
import { matrixTranspose } from '../../ops/permuting.ts'
import { narrow } from '../../ops/slicing.ts'
import { floatData } from '../../ops/tensor-access.ts'
import type { Storage } from '../../tensor/storage.ts'
import { contiguousStrides, numelOf, type Tensor } from '../../tensor/tensor.ts'
import type { RecurrentCell } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'
import { PlanBuffer, type Placement } from './placement.ts'
import { identityOf } from './weight-cache.ts'

/** The weights of one layer in one direction, as libtorch has them: gates · units × features. */
export interface LayerWeights {
  readonly input: Tensor
  readonly hidden: Tensor
  readonly biases: readonly [input: Tensor, hidden: Tensor] | undefined
}

/** The same as a primitive takes them. */
export interface PackedLayer {
  readonly weights: Placement
  readonly stateWeights: Placement
  readonly bias: Placement
}

/** Where the library's gates are among libtorch's (torch.nn.GRU: reset, update, new). */
const gateOrders: Readonly<Record<RecurrentCell, readonly number[]>> = {
  lstm: [0, 1, 2, 3],
  gru: [1, 0, 2],
  tanh: [0],
  relu: [0],
}

/**
 * Packs weights features-first, `ldigo`, and not as the library would like best: of the blocks for AVX-512, an LSTM on one
 * sequence takes 1.3 times as long (2.6.3), and what it packs for its matrix product may be for as many threads as there
 * were.
 */
export function packLayer(
  lowering: Lowering,
  cell: RecurrentCell,
  { input, hidden, biases }: LayerWeights,
): PackedLayer {
  return {
    weights: packWeights(lowering, cell, input),
    stateWeights: packWeights(lowering, cell, hidden),
    bias: packBias(lowering, cell, hidden.sizes[1]!, biases),
  }
}

function packWeights(lowering: Lowering, cell: RecurrentCell, weights: Tensor): Placement {
  const order = gateOrders[cell]
  const ordered = order.every((gate, i) => gate === i) ? weights : reordered(weights, order)
  const [rows, features] = ordered.sizes as [number, number]
  const [step, featureStep] = ordered.strides as [number, number]
  const units = rows / order.length
  const sizes = [1, 1, features, order.length, units]
  const outer = ordered.numel
  return lowering.packed(
    ordered,
    lowering.dnnl.describe('float32', sizes, contiguousStrides(sizes)),
    lowering.dnnl.describe('float32', sizes, [outer, outer, featureStep, units * step, step]),
  )
}

/** Weights with gates in the library's order, for as long as the originals' storages are there. */
const known = new WeakMap<Storage, Map<string, Tensor>>()

/** The weights with their gates in another order; features lie outermost, so that nothing is left to pack. */
function reordered(weights: Tensor, order: readonly number[]): Tensor {
  const ofStorage = known.get(weights.storage) ?? new Map<string, Tensor>()
  known.set(weights.storage, ofStorage)
  const key = identityOf(weights, 0)
  const there = ofStorage.get(key)
  if (there) return there
  const units = weights.sizes[0]! / order.length
  const columns = matrixTranspose(weights)
  const gates = order.map((gate) => narrow(columns, 1, gate * units, units))
  const result = matrixTranspose(cat(gates, 1))
  ofStorage.set(key, result)
  return result
}

/** Both biases added; the GRU's new gate needs that of the state alone, for it is reset with the state's product. */
function packBias(
  lowering: Lowering,
  cell: RecurrentCell,
  units: number,
  biases: LayerWeights['biases'],
): Placement {
  const sizes = [1, 1, cell === 'gru' ? 4 : gateOrders[cell].length, units]
  const values = new Float32Array(numelOf(sizes))
  if (biases) addBiases(values, cell, units, biases)
  return {
    descriptor: lowering.dnnl.describe('float32', sizes, contiguousStrides(sizes)),
    buffer: PlanBuffer.constant(new Uint8Array(values.buffer)),
    offset: 0,
  }
}

function addBiases(
  values: Float32Array,
  cell: RecurrentCell,
  units: number,
  biases: readonly [Tensor, Tensor],
): void {
  const [input, hidden] = biases.map(floatData) as [Float32Array, Float32Array]
  gateOrders[cell].forEach((gate, i) => {
    for (let unit = 0; unit < units; unit++)
      values[i * units + unit] = input[gate * units + unit]! + hidden[gate * units + unit]!
  })
  if (cell !== 'gru') return
  values.set(input.subarray(2 * units), 2 * units)
  values.set(hidden.subarray(2 * units), 3 * units)
}
