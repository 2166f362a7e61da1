import { scalarToNumber } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, floatData } from './tensor-access.ts'

/**
 * How many elements fall into each of `bins` equal stretches from `min` to `max`, both counted; from the least to the
 * greatest element where the two are the same. What lies outside is not counted.
 *
 * @throws OperatorArgumentError for a range that is none
 */
function histogram(self: Tensor, bins: number, min: number, max: number): Tensor {
  requireFloating(self, 'histc')
  if (bins <= 0) throw new OperatorArgumentError(`bins must be > 0, but is ${bins}`, { argument: 'bins' })
  const result = allocateFor([self], kernelDType(self.dtype), [bins])
  if (result.isMeta) return fromKernel(result, self.dtype)
  const [data, out] = [floatData(self), floatsOf(result)]
  const [low, high] = rangeOf(data, min, max)
  for (const value of data) {
    if (!(value >= low && value <= high)) continue
    const bin = Math.floor(((value - low) * bins) / (high - low))
    out[Math.min(bin, bins - 1)]! += 1
  }
  return fromKernel(result, self.dtype)
}

function rangeOf(data: Iterable<number>, min: number, max: number): [number, number] {
  const [low, high] = min === max ? extentOf(data, min) : [min, max]
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new OperatorArgumentError(`histc: range of [${low}, ${high}] is not finite`)
  if (low > high)
    throw new OperatorArgumentError(`histc: max must be larger than min, but got ${low} and ${high}`)
  return low === high ? [low - 1, high + 1] : [low, high]
}

/** The least and the greatest element; `nothing` twice where there is none. */
function extentOf(data: Iterable<number>, nothing: number): [number, number] {
  let [least, greatest] = [Infinity, -Infinity]
  for (const value of data) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)]
  return least > greatest ? [nothing, nothing] : [least, greatest]
}

export const histogramOperators: readonly Operator[] = [
  defineOp('aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor', {
    reference: ({ self, bins, min, max }) => histogram(self, bins, scalarToNumber(min), scalarToNumber(max)),
  }),
]
