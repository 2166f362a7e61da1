import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { sigmoidOf } from './activation.ts'
import { wrapDimension } from './dimension.ts'
import { elementwiseUnary, mapBinary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating, requireSameDType } from './float-compute.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type EvaluationContext, type Operator } from './operator.ts'
import { contiguous } from './tensor-access.ts'
import { reshape } from './reshaping.ts'

/** The first half of a dimension times the sigmoid of the second (Dauphin et al. 2016). */
function glu(self: Tensor, dim: number): Tensor {
  requireFloating(self, 'glu')
  if (self.dim === 0) throw new OperatorArgumentError('glu does not support 0-dimensional tensors')
  const axis = wrapDimension(dim, self.dim)
  const size = self.sizes[axis]!
  if (size % 2 !== 0)
    throw new OperatorArgumentError(`halving dimension must be even, but dimension ${axis} is size ${size}`)
  const sizes = self.sizes.with(axis, size / 2)
  const first = self.asStrided(sizes, self.strides)
  const offset = self.storageOffset + (size / 2) * self.strides[axis]!
  const second = self.asStrided(sizes, self.strides, offset)
  return mapBinary(first, second, self.dtype, self.dtype, { number: (a, b) => a * sigmoidOf(b) })
}

/** One slope for all elements, or one for each channel (dimension 1). */
function prelu(self: Tensor, weight: Tensor): Tensor {
  requireFloating(self, 'prelu')
  requireSameDType(self, { weight })
  const channels = self.dim > 1 ? self.sizes[1]! : 1
  if (weight.dim > 1 || (weight.numel !== 1 && weight.numel !== channels))
    throw new OperatorArgumentError(
      `mismatch of parameter numbers and input channel size. ` +
        `Found parameter numbers = ${weight.numel} and channel size = ${channels}`,
      { argument: 'weight' },
    )
  const slopes = weight.numel === 1 ? reshape(weight, []) : channelSlopes(weight, self.dim)
  return mapBinary(self, slopes, self.dtype, self.dtype, { number: (x, slope) => (x > 0 ? x : x * slope) })
}

function channelSlopes(weight: Tensor, dim: number): Tensor {
  return reshape(weight, [weight.numel, ...new Array<number>(dim - 2).fill(1)])
}

/** A leaky ReLU whose slope is random in training and the mean of its bounds otherwise. */
function rrelu(
  self: Tensor,
  lower: Scalar,
  upper: Scalar,
  training: boolean,
  context: EvaluationContext,
): Tensor {
  requireFloating(self, 'rrelu')
  const [low, high] = [scalarToNumber(lower), scalarToNumber(upper)]
  const slope = training ? () => low + (high - low) * context.random() : () => (low + high) / 2
  return elementwiseUnary(contiguous(self), (x) => (x > 0 ? x : x * slope()))
}

function logSigmoid(self: Tensor): Tensor {
  requireFloating(self, 'log_sigmoid')
  return elementwiseUnary(contiguous(self), (x) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))))
}

export const gatedActivationOperators: readonly Operator[] = [
  defineOp('aten::glu(Tensor self, int dim=-1) -> Tensor', { reference: ({ self, dim }) => glu(self, dim) }),
  defineOp('aten::prelu(Tensor self, Tensor weight) -> Tensor', {
    freezable: ['weight'],
    reference: ({ self, weight }) => prelu(self, weight),
  }),
  defineOp('aten::log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)', {
    reference: ({ self }) => [logSigmoid(self), elementwiseUnary(self, (x) => Math.exp(-Math.abs(x)))],
  }),
  defineOp('aten::log_sigmoid(Tensor self) -> Tensor', { reference: ({ self }) => logSigmoid(self) }),
  ...withInPlace(
    defineOp(
      'aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor',
      {
        isNondeterministic: true,
        reference: ({ self, lower, upper, training }, context) =>
          rrelu(self, lower, upper, training, context),
      },
    ),
  ),
]
