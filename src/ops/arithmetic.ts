import { Complex, Double, scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { dtypes, isFloating, type DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { binary, type Operand } from './binary.ts'
import { toInt64 } from './convert.ts'
import type { BinaryKernel, BinaryRow } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { resultType } from './type-promotion.ts'

const addRow: BinaryRow = (out, o, a, i, as, b, j, bs, n) => {
  for (let k = 0; k < n; k++, i += as, j += bs) out[o + k] = a[i]! + b[j]!
}

const subRow: BinaryRow = (out, o, a, i, as, b, j, bs, n) => {
  for (let k = 0; k < n; k++, i += as, j += bs) out[o + k] = a[i]! - b[j]!
}

const mulRow: BinaryRow = (out, o, a, i, as, b, j, bs, n) => {
  for (let k = 0; k < n; k++, i += as, j += bs) out[o + k] = a[i]! * b[j]!
}

const plainAdd: BinaryKernel = { number: (a, b) => a + b, bigint: (a, b) => a + b, row: addRow }
const plainSub: BinaryKernel = { number: (a, b) => a - b, bigint: (a, b) => a - b, row: subRow }
const product: BinaryKernel = {
  number: (a, b) => a * b,
  bigint: (a, b) => a * b,
  integer: Math.imul,
  row: mulRow,
}

/** `a + alpha·b`, `alpha` first rounded to the dtype. */
function scaledAdd(dtype: DType, alpha: Scalar): BinaryKernel {
  if (dtype === 'bool') return scalarToNumber(alpha) === 0 ? { number: (a) => a } : plainAdd
  const factor = dtype === 'float64' ? scalarToNumber(alpha) : Math.fround(scalarToNumber(alpha))
  const big = isFloating(dtype) ? 0n : toInt64(typeof alpha === 'bigint' ? alpha : factor)
  const small = Number(BigInt.asIntN(32, big))
  return {
    number: (a, b) => a + factor * b,
    bigint: (a, b) => a + big * b,
    integer: (a, b) => a + Math.imul(small, b),
  }
}

function negated(alpha: Scalar): Scalar {
  if (alpha instanceof Double) return new Double(-alpha.value)
  return typeof alpha === 'bigint' ? -alpha : -scalarToNumber(alpha)
}

function checkAlpha(dtype: DType, alpha: Scalar): void {
  const { category } = dtypes[dtype]
  if (typeof alpha === 'boolean' && category !== 'bool')
    throw new OperatorArgumentError(`boolean alpha only supported for boolean results, not ${dtype}`)
  if (
    (alpha instanceof Double || alpha instanceof Complex) &&
    (category === 'bool' || category === 'integral')
  )
    throw new OperatorArgumentError(
      `for integral input tensors (${dtype}), argument alpha must not be a floating point number`,
    )
}

function add(a: Operand, b: Operand, alpha: Scalar): Tensor {
  const common = resultType(a, b)
  checkAlpha(common, alpha)
  return binary(a, b, scalarToNumber(alpha) === 1 ? plainAdd : scaledAdd(common, alpha), common)
}

function sub(a: Operand, b: Operand, alpha: Scalar): Tensor {
  if (isBool(a) || isBool(b))
    throw new OperatorArgumentError(
      'subtraction with a bool tensor is not supported',
      {},
      'to invert a mask use `~` or logical_not, to compare two masks `^` or logical_xor',
    )
  const common = resultType(a, b)
  checkAlpha(common, alpha)
  return binary(a, b, scalarToNumber(alpha) === 1 ? plainSub : scaledAdd(common, negated(alpha)), common)
}

function isBool(operand: Operand): boolean {
  return operand instanceof Tensor ? operand.dtype === 'bool' : typeof operand === 'boolean'
}

/** The product of each pair of elements after broadcasting and type promotion. */
export function multiply(a: Operand, b: Operand): Tensor {
  return binary(a, b, product)
}

/** `a + alpha·b`, element by element, after broadcasting and type promotion. */
export function addScaled(a: Operand, b: Operand, alpha: Scalar = 1): Tensor {
  return add(a, b, alpha)
}

const additive = withInPlace(
  defineOp('aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => add(self, other, alpha),
  }),
  defineOp('aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => add(self, other, alpha),
  }),
)

const subtractive = withInPlace(
  defineOp('aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => sub(self, other, alpha),
  }),
  defineOp('aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => sub(self, other, alpha),
  }),
)

const multiplicative = withInPlace(
  defineOp('aten::mul.Tensor(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => multiply(self, other),
  }),
  defineOp('aten::mul.Scalar(Tensor self, Scalar other) -> Tensor', {
    reference: ({ self, other }) => multiply(self, other),
  }),
)

function synonyms(operators: readonly Operator[], name: string, other: string): Operator[] {
  return operators.map((operator) => renamed(operator, operator.schema.name.replace(name, other)))
}

export const arithmeticOperators: readonly Operator[] = [
  ...additive,
  ...subtractive,
  ...multiplicative,
  ...synonyms(subtractive, 'sub', 'subtract'),
  ...synonyms(multiplicative, 'mul', 'multiply'),
  defineOp('aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => sub(other, self, alpha),
  }),
  defineOp('aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor', {
    reference: ({ self, other, alpha }) => sub(other, self, alpha),
  }),
]
