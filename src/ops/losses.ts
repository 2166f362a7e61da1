import type { Tensor } from '../tensor/tensor.ts'
import { addScaled, multiply } from './arithmetic.ts'
import { binary } from './binary.ts'
import { elementwiseUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { mean, sum } from './sums.ts'

/** `at::Reduction`'s codes. */
const reductions = { none: 0, mean: 1, sum: 2 } as const

/** The losses as they are, their mean or their sum. */
function reduced(losses: Tensor, reduction: number): Tensor {
  if (reduction === reductions.none) return losses
  return reduction === reductions.mean ? mean(losses, null, false, null) : sum(losses, null, false, null)
}

type Pairwise = (x: number, target: number) => number

function pairwise(name: string, self: Tensor, target: Tensor, reduction: number, loss: Pairwise): Tensor {
  requireFloating(self, name)
  requireFloating(target, name)
  return reduced(binary(self, target, { number: loss }), reduction)
}

/** Operators of a prediction and a target alone. */
function simple(name: string, loss: Pairwise): Operator {
  return defineOp(`aten::${name}(Tensor self, Tensor target, int reduction=1) -> Tensor`, {
    reference: ({ self, target, reduction }: { self: Tensor; target: Tensor; reduction: number }) =>
      pairwise(name, self, target, reduction, loss),
  })
}

/** log(1 + eˣ) */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** Square near the target, straight beyond `width`. */
function smoothed(width: number): Pairwise {
  return (x, target) => {
    const distance = Math.abs(x - target)
    return distance < width ? (0.5 * distance * distance) / width : distance - 0.5 * width
  }
}

/**
 * -log of the probability that a logit gives its target, which is a probability too; `positiveWeight` counts the
 * positive part that many times (aten/src/ATen/native/Loss.cpp).
 */
function withLogits(self: Tensor, target: Tensor, positiveWeight: Tensor | null): Tensor {
  const loss = binary(target, self, { number: (y, x) => (1 - y) * x + softplus(-x) })
  if (positiveWeight === null) return loss
  const more = multiply(addScaled(positiveWeight, 1, -1), target)
  return addScaled(
    loss,
    multiply(
      more,
      elementwiseUnary(self, (x) => softplus(-x)),
    ),
  )
}

/** Logarithms are cut off at -100, as in libtorch. */
function crossEntropy(x: number, target: number): number {
  if (!(x >= 0 && x <= 1))
    throw new OperatorArgumentError(`all elements of input should be between 0 and 1, but got ${x}`, {
      argument: 'self',
    })
  return (target - 1) * Math.max(Math.log1p(-x), -100) - target * Math.max(Math.log(x), -100)
}

function weighted(losses: Tensor, weight: Tensor | null): Tensor {
  return weight === null ? losses : multiply(losses, weight)
}

/** target · log target, which is 0 at 0. */
function entropy(target: number): number {
  return target === 0 ? 0 : target * Math.log(target)
}

function requirePositive(value: number, argument: string): void {
  if (!(value > 0))
    throw new OperatorArgumentError(`${argument} must be greater than 0, but got ${value}`, { argument })
}

export const lossOperators: readonly Operator[] = [
  simple('l1_loss', (x, target) => Math.abs(x - target)),
  simple('mse_loss', (x, target) => (x - target) * (x - target)),
  simple('soft_margin_loss', (x, target) => softplus(-x * target)),
  defineOp('aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor', {
    reference: ({ self, target, reduction, beta }) => {
      if (beta !== 0) requirePositive(beta, 'beta')
      return pairwise('smooth_l1_loss', self, target, reduction, smoothed(beta))
    },
  }),
  defineOp('aten::huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor', {
    reference: ({ self, target, reduction, delta }) => {
      requirePositive(delta, 'delta')
      const loss = smoothed(delta)
      return pairwise('huber_loss', self, target, reduction, (x, y) => delta * loss(x, y))
    },
  }),
  defineOp('aten::kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor', {
    reference: ({ self, target, reduction, log_target }) =>
      // The target first: the result's strides are those of the first operand.
      pairwise('kl_div', target, self, reduction, (y, x) =>
        log_target ? Math.exp(y) * (y - x) : entropy(y) - y * x,
      ),
  }),
  defineOp(
    'aten::binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor',
    {
      reference: ({ self, target, weight, reduction }) => {
        requireFloating(self, 'binary_cross_entropy')
        return reduced(weighted(binary(self, target, { number: crossEntropy }), weight), reduction)
      },
    },
  ),
  defineOp(
    'aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor',
    {
      reference: ({ self, target, weight, pos_weight, reduction }) => {
        requireFloating(self, 'binary_cross_entropy_with_logits')
        return reduced(weighted(withLogits(self, target, pos_weight), weight), reduction)
      },
    },
  ),
]
