import type { Tensor } from '../tensor/tensor.ts'
import { mapBinary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, kernelDType, requireFloating } from './float-compute.ts'
import { withInPlace } from './in-place.ts'
import { defineOp, type EvaluationContext, type Operator } from './operator.ts'
import { allocate, convert } from './tensor-access.ts'

type Random = EvaluationContext['random']

interface DropoutKind {
  /** Whole channels are dropped, not single elements. */
  readonly feature: boolean
  /** What is dropped becomes the value that keeps mean and variance after a SELU. */
  readonly alpha: boolean
}

// -scale · alpha of SELU, its limit for small inputs (Klambauer et al. 2017).
const seluLimit = 1.7580993408473766

/**
 * Drops elements with probability `p` in training and scales the others by 1 / (1 - p); otherwise gives the input
 * itself back, as libtorch does.
 *
 * @throws OperatorArgumentError when p is no probability, or channels are to be dropped of a vector
 */
export function dropout(input: Tensor, p: number, train: boolean, kind: DropoutKind, random: Random): Tensor {
  if (!(p >= 0 && p <= 1))
    throw new OperatorArgumentError(`dropout probability has to be between 0 and 1, but got ${p}`, {
      argument: 'p',
    })
  if (p === 0 || !train || input.numel === 0) return input
  requireFloating(input, 'dropout')
  if (kind.feature && input.dim < 2)
    throw new OperatorArgumentError('feature dropout requires at least 2 dimensions in the input')
  const sizes = kind.feature ? input.sizes.map((size, dim) => (dim < 2 ? size : 1)) : input.sizes
  const kept = keepMask(sizes, p, input, random)
  const { scale, drop, shift } = affine(p, kind)
  return mapBinary(input, kept, input.dtype, input.dtype, {
    number: (x, keep) => (p === 1 ? x * 0 : keep === 0 ? drop : x * scale + shift),
  })
}

/** 1 with probability 1 - p, else 0. */
function keepMask(sizes: readonly number[], p: number, input: Tensor, random: Random): Tensor {
  const mask = allocate(kernelDType(input.dtype), sizes)
  const data = floatsOf(mask)
  for (let i = 0; i < data.length; i++) data[i] = random() < 1 - p ? 1 : 0
  return convert(mask, input.dtype)
}

function affine(p: number, { alpha }: DropoutKind): { scale: number; drop: number; shift: number } {
  if (!alpha) return { scale: 1 / (1 - p), drop: 0, shift: 0 }
  const scale = 1 / Math.sqrt((seluLimit * seluLimit * p + 1) * (1 - p))
  const shift = seluLimit * scale * p
  return { scale, shift, drop: shift - seluLimit * scale }
}

function kindOf(feature: boolean, alpha: boolean): Operator[] {
  const name = `${feature ? 'feature_' : ''}${alpha ? 'alpha_' : ''}dropout`
  const operator = defineOp(`aten::${name}(Tensor input, float p, bool train) -> Tensor`, {
    role: 'dropout',
    isNondeterministic: true,
    reference: ({ input, p, train }, context) =>
      dropout(input, p, train, { feature, alpha }, () => context.random()),
  })
  return withInPlace(operator)
}

export const dropoutOperators: readonly Operator[] = [
  ...kindOf(false, false),
  ...kindOf(true, false),
  ...kindOf(false, true),
  ...kindOf(true, true),
]
