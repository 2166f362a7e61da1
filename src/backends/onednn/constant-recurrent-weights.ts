import { narrow } from '../../ops/slicing.ts'
import { copyInto, floatData } from '../../ops/tensor-access.ts'
import { Storage } from '../../tensor/storage.ts'
import { numelOf, Tensor } from '../../tensor/tensor.ts'
import type { MemoryDescriptor } from './binding/dnnl.ts'
import { rowMajor } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import { PlanBuffer, type Placement } from './placement.ts'
import { weightsDescriptor, type BiasGate } from './recurrent-weight-layout.ts'
import { identityOf } from './weight-cache.ts'

/** @param order where the library's gates are among those of the weights */
export function packWeights(lowering: Lowering, weights: Tensor, order: readonly number[]): Placement {
  const [units, features] = [weights.sizes[0]! / order.length, weights.sizes[1]!]
  const wanted = weightsDescriptor(lowering.dnnl, features, order.length, units)
  const ordered = order.every((gate, i) => gate === i) ? weights : reordered(weights, order, wanted)
  const [step, featureStep] = ordered.strides as [number, number]
  const strides = [1, 1, featureStep, units * step, step]
  return lowering.packed(ordered, wanted, lowering.dnnl.describe('float32', wanted.sizes, strides))
}

/** Weights with gates in the library's order, for as long as the originals' storages are there. */
const known = new WeakMap<Storage, Map<string, Tensor>>()

/** The weights with their gates in another order, in the layout already, so that nothing is left to pack. */
function reordered(weights: Tensor, order: readonly number[], wanted: MemoryDescriptor): Tensor {
  const ofStorage = known.get(weights.storage) ?? new Map<string, Tensor>()
  known.set(weights.storage, ofStorage)
  const key = identityOf(weights, 0)
  const there = ofStorage.get(key)
  if (there) return there
  const [rows, features] = weights.sizes as [number, number]
  const units = rows / order.length
  const strides = [1, wanted.strides![2]!]
  const result = new Tensor(Storage.ofLength(wanted.byteLength), 'float32', [rows, features], { strides })
  order.forEach((gate, i) =>
    copyInto(narrow(result, 0, i * units, units), narrow(weights, 0, gate * units, units)),
  )
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
    descriptor: rowMajor(lowering, sizes),
    buffer: PlanBuffer.constant(new Uint8Array(sums.buffer)),
    offset: 0,
  }
}
