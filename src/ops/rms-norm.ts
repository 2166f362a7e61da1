import type { Tensor } from '../tensor/tensor.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating } from './float-compute.ts'
import { checkNormalizedShape, parameter } from './normalization.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, floatData } from './tensor-access.ts'

/** `std::numeric_limits::epsilon` of the dtype that libtorch computes in. */
function epsilonOf(dtype: Tensor['dtype']): number {
  return dtype === 'float64' ? Number.EPSILON : 2 ** -23
}

/**
 * Divides by the root of the mean square over the last dimensions, `shape`, and multiplies by weights of that shape
 * (Zhang and Sennrich 2019; aten/src/ATen/native/layer_norm.cpp of libtorch 2.4). Gives the factors too, one for each
 * row. Row-major, sums in doubles, rounded once.
 *
 * @throws OperatorArgumentError when sizes do not fit
 */
function rmsNorm(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  eps: number | null,
): [Tensor, Tensor] {
  requireFloating(input, 'rms_norm')
  checkNormalizedShape(input, shape, { weight })
  const lead = input.sizes.slice(0, -shape.length)
  const dtype = kernelDType(input.dtype)
  const result = allocateFor([input, weight], dtype, input.sizes)
  const factors = allocateFor([input, weight], dtype, [...lead, ...shape.map(() => 1)])
  if (!result.isMeta) {
    const length = shape.reduce((n, size) => n * size, 1)
    const scale = parameter(weight, length, 1)
    const [data, out, inverses] = [floatData(input), floatsOf(result), floatsOf(factors)]
    for (let row = 0, at = 0; row < factors.numel; row++, at += length) {
      const inverse = 1 / Math.sqrt(meanSquare(data, at, length) + (eps ?? epsilonOf(input.dtype)))
      for (let i = 0; i < length; i++) out[at + i] = data[at + i]! * inverse * scale[i]!
      inverses[row] = inverse
    }
  }
  return [fromKernel(result, input.dtype), factors]
}

function meanSquare(data: Float32Array | Float64Array, start: number, length: number): number {
  let sum = 0
  for (let i = start; i < start + length; i++) sum += data[i]! * data[i]!
  return sum / length
}

export const rmsNormOperators: readonly Operator[] = [
  defineOp(
    'aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor',
    {
      freezable: ['weight'],
      reference: ({ input, normalized_shape, weight, eps }) =>
        rmsNorm(input, normalized_shape, weight, eps)[0],
    },
  ),
  defineOp(
    'aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)',
    {
      freezable: ['weight'],
      reference: ({ input, normalized_shape, weight, eps }) => rmsNorm(input, normalized_shape, weight, eps),
    },
  ),
]
