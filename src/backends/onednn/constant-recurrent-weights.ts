import { cat } from '../../ops/joining.ts'
import { matrixTranspose } from '../../ops/permuting.ts'
import { narrow } from '../../ops/slicing.ts'
import { floatData } from '../../ops/tensor-access.ts'
import type { Storage } from '../../tensor/storage.ts'
import { contiguousStrides, numelOf, type Tensor } from '../../tensor/tensor.ts'
import type { Lowering } from './lowering.ts'
import { PlanBuffer, type Placement } from './placement.ts'
import { identityOf } from './weight-cache.ts'

/** The gates of the input's and of the state's bias that are added. */
export type BiasGate = readonly [input: number | undefined, state: number | undefined]

/** @param order where the library's gates are among those of the weights */
export function packWeights(lowering: Lowering, weights: Tensor, order: readonly number[]): Placement {
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

/** Both biases added, or zeros for none. */
export function packBiases(
  lowering: Lowering,
  biases: readonly [Tensor, Tensor] | undefined,
  gates: readonly BiasGate[],
  units: number,
): Placement {
  const sizes = [1, 1, gates.length, units]
  const sums = new Float32Array(numelOf(sizes))
  biases?.forEach((bias, which) => {
    const values = floatData(bias)
    gates.forEach((pair, i) => {
      const gate = pair[which]
      if (gate === undefined) return
      for (let unit = 0; unit < units; unit++) sums[i * units + unit]! += values[gate * units + unit]!
    })
  })
  return {
    descriptor: lowering.dnnl.describe('float32', sizes, contiguousStrides(sizes)),
    buffer: PlanBuffer.constant(new Uint8Array(sums.buffer)),
    offset: 0,
  }
}
