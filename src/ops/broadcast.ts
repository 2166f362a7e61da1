import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { broadcastStrides } from './memory-layout.ts'

/**
 * The common shape of several: aligned at the last dimension, 1 stretches.
 *
 * @throws OperatorArgumentError with both sizes where they disagree
 */
export function broadcastSizes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const shape of shapes) {
    const lead = rank - shape.length
    shape.forEach((size, i) => {
      const common = result[lead + i]!
      if (size === common || size === 1) return
      if (common !== 1)
        throw new OperatorArgumentError(
          `the size of tensor a (${common}) must match the size of tensor b (${size}) at dimension ${lead + i}`,
        )
      result[lead + i] = size
    })
  }
  return result
}

/** A view of the tensor with the given sizes, repeating it where it has size 1; sizes must be its broadcast. */
export function broadcastTo(tensor: Tensor, sizes: readonly number[]): Tensor {
  return sameSizes(tensor.sizes, sizes) ? tensor : tensor.asStrided(sizes, broadcastStrides(tensor, sizes))
}

export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}
