import { scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { isFloating } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { elementwiseUnary } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { reduceAs, reductionDType, type RowReducer } from './reduction.ts'
import { mean, sumRow } from './sums.ts'

/** The mean squared distance from the mean, over `length - correction`; two passes, in double precision. */
function varianceRow(correction: number): RowReducer {
  return (data, start, length) => {
    const average = sumRow(data, start, length) / length
    let squares = 0
    for (let i = start; i < start + length; i++) squares += (data[i]! - average) ** 2
    return squares / Math.max(length - correction, 0)
  }
}

function deviationRow(correction: number): RowReducer {
  const variance = varianceRow(correction)
  return (data, start, length) => Math.sqrt(variance(data, start, length))
}

type Spread = (correction: number) => RowReducer

function spread(
  self: Tensor,
  dims: readonly number[] | null,
  correction: number,
  keepdim: boolean,
  of: Spread,
): Tensor {
  if (!isFloating(self.dtype))
    throw new OperatorArgumentError(
      `std and var only support floating point and complex dtypes, not ${self.dtype}`,
    )
  return reduceAs(self, dims, keepdim, self.dtype, of(correction))
}

function withMean(
  self: Tensor,
  dims: readonly number[] | null,
  correction: number,
  keepdim: boolean,
  of: Spread,
): [Tensor, Tensor] {
  return [spread(self, dims, correction, keepdim, of), mean(self, dims, keepdim, null)]
}

function spreadOperators(name: string, of: Spread): Operator[] {
  return [
    defineOp(`aten::${name}(Tensor self, bool unbiased=True) -> Tensor`, {
      reference: ({ self, unbiased }) => spread(self, null, Number(unbiased), false, of),
    }),
    defineOp(
      `aten::${name}.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor`,
      {
        reference: ({ self, dim, unbiased, keepdim }) => spread(self, dim, Number(unbiased), keepdim, of),
      },
    ),
    defineOp(
      `aten::${name}.correction(Tensor self, int[1]? dim, *, int? correction, bool keepdim=False) -> Tensor`,
      { reference: ({ self, dim, correction, keepdim }) => spread(self, dim, correction ?? 1, keepdim, of) },
    ),
    defineOp(`aten::${name}_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)`, {
      reference: ({ self, unbiased }) => withMean(self, null, Number(unbiased), false, of),
    }),
    defineOp(
      `aten::${name}_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)`,
      { reference: ({ self, dim, unbiased, keepdim }) => withMean(self, dim, Number(unbiased), keepdim, of) },
    ),
    defineOp(
      `aten::${name}_mean.correction(Tensor self, int[1]? dim, *, int? correction, bool keepdim=False) -> (Tensor, Tensor)`,
      {
        reference: ({ self, dim, correction, keepdim }) => withMean(self, dim, correction ?? 1, keepdim, of),
      },
    ),
  ]
}

/** The p-norm: (Σ|x|^p)^(1/p), with its limits at 0, ∞ and −∞. */
export function normRow(p: number): RowReducer {
  return (data, start, length) => {
    let total = p === -Infinity ? Infinity : 0
    for (let i = start; i < start + length; i++) {
      const size = Math.abs(data[i]!)
      if (size !== size) return NaN
      if (p === Infinity) total = Math.max(total, size)
      else if (p === -Infinity) total = Math.min(total, size)
      else total += p === 2 ? size * size : p === 1 ? size : p === 0 ? Number(size !== 0) : size ** p
    }
    if (p === 0 || p === 1 || Math.abs(p) === Infinity) return total
    return p === 2 ? Math.sqrt(total) : total ** (1 / p)
  }
}

/** The p-norm of the vectors along the dimensions (all, when none is named). */
export function vectorNorm(
  self: Tensor,
  p: Scalar | null,
  dims: readonly number[] | null,
  keepdim: boolean,
  dtype: number | null,
): Tensor {
  const computed = reductionDType(dtype, self.dtype)
  if (!isFloating(computed))
    throw new OperatorArgumentError(
      `norm: expected a floating point or complex tensor as input, not ${computed}`,
    )
  return reduceAs(self, dims, keepdim, computed, normRow(p === null ? 2 : scalarToNumber(p)))
}

/** log Σ exp, with the largest taken out first. */
const logSumExpRow: RowReducer = (data, start, length) => {
  let most = -Infinity
  for (let i = start; i < start + length; i++) most = data[i]! > most || data[i] !== data[i] ? data[i]! : most
  const shift = Math.abs(most) === Infinity ? 0 : most
  let sum = 0
  for (let i = start; i < start + length; i++) sum += Math.exp(data[i]! - shift)
  return shift + Math.log(sum)
}

function logSumExp(self: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  const source = isFloating(self.dtype) ? self : elementwiseUnary(self, (x) => x)
  return reduceAs(source, dims, keepdim, source.dtype, logSumExpRow)
}

export const spreadTensorOperators: readonly Operator[] = [
  ...spreadOperators('var', varianceRow),
  ...spreadOperators('std', deviationRow),
  defineOp('aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor', {
    reference: ({ self, p }) => vectorNorm(self, p, null, false, null),
  }),
  defineOp('aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor', {
    reference: ({ self, p, dim, keepdim }) => vectorNorm(self, p, dim, keepdim, null),
  }),
  defineOp('aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor', {
    reference: ({ self, p, dtype }) => vectorNorm(self, p, null, false, dtype),
  }),
  defineOp(
    'aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor',
    { reference: ({ self, p, dim, keepdim, dtype }) => vectorNorm(self, p, dim, keepdim, dtype) },
  ),
  defineOp('aten::frobenius_norm(Tensor self) -> Tensor', {
    reference: ({ self }) => vectorNorm(self, 2, null, false, null),
  }),
  defineOp('aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor', {
    reference: ({ self, dim, keepdim }) => vectorNorm(self, 2, dim, keepdim, null),
  }),
  defineOp(
    'aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor',
    { reference: ({ self, ord, dim, keepdim, dtype }) => vectorNorm(self, ord, dim, keepdim, dtype) },
  ),
  defineOp('aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor', {
    reference: ({ self, dim, keepdim }) => logSumExp(self, dim, keepdim),
  }),
]
