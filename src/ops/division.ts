import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { binary, floatingBinary, type Operand } from './binary.ts'
import type { BinaryKernel, BinaryRow } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { inPlace, renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { resultType } from './type-promotion.ts'

const divRow: BinaryRow = (out, o, a, i, as, b, j, bs, n) => {
  for (let k = 0; k < n; k++, i += as, j += bs) out[o + k] = a[i]! / b[j]!
}

const quotient: BinaryKernel = { number: (a, b) => a / b, row: divRow }

/** The quotient of each pair of elements; integers divide as float32. */
export function trueDivide(a: Operand, b: Operand): Tensor {
  return floatingBinary(a, b, quotient)
}

function refuseZero(divisor: number | bigint): void {
  if (Number(divisor) === 0) throw new OperatorArgumentError('integer division by zero')
}

/** c10::div_floor_floating: the floor of the true quotient, even where the rounded quotient is a whole number. */
function floorDivideFloats(a: number, b: number): number {
  if (b === 0) return a / b
  const rest = a % b
  let ratio = (a - rest) / b
  if (rest !== 0 && b < 0 !== rest < 0) ratio -= 1
  if (ratio === 0) return a / b < 0 ? -0 : 0
  const floor = Math.floor(ratio)
  return ratio - floor > 0.5 ? floor + 1 : floor
}

function truncation(dtype: DType): BinaryKernel {
  return {
    number: dtype === 'float64' ? (a, b) => Math.trunc(a / b) : (a, b) => Math.trunc(Math.fround(a / b)),
    integer: (a, b) => (refuseZero(b), Math.trunc(a / b)),
    bigint: (a, b) => (refuseZero(b), a / b),
  }
}

const flooring: BinaryKernel = {
  number: floorDivideFloats,
  integer: (a, b) => (refuseZero(b), Math.floor(a / b)),
  bigint: (a, b) => {
    refuseZero(b)
    const towardsZero = a / b
    return a % b !== 0n && a < 0n !== b < 0n ? towardsZero - 1n : towardsZero
  },
}

const remaindering: BinaryKernel = {
  number: remainder,
  integer: (a, b) => (refuseZero(b), remainder(a, b)),
  bigint: (a, b) => {
    refuseZero(b)
    const rest = a % b
    return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
  },
}

/** The remainder with the divisor's sign. */
function remainder(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** The remainder with the dividend's sign, as C's fmod. */
const modulus: BinaryKernel = {
  number: (a, b) => a % b,
  integer: (a, b) => (refuseZero(b), a % b),
  bigint: (a, b) => (refuseZero(b), a % b),
}

function wholeNumbers(
  operation: string,
  a: Operand,
  b: Operand,
  kernel: (dtype: DType) => BinaryKernel,
): Tensor {
  const common = resultType(a, b)
  if (common === 'bool') throw new OperatorArgumentError(`${operation} is not implemented for bool tensors`)
  return binary(a, b, kernel(common), common)
}

/** The floor of each quotient, in the common dtype. */
export function floorDivide(a: Operand, b: Operand): Tensor {
  return wholeNumbers('floor division', a, b, () => flooring)
}

function divide(a: Operand, b: Operand, mode: string | null): Tensor {
  if (mode === null) return trueDivide(a, b)
  if (mode === 'floor') return floorDivide(a, b)
  if (mode === 'trunc') return wholeNumbers('truncating division', a, b, truncation)
  throw new OperatorArgumentError(
    `div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${mode}'`,
  )
}

const remainderOf = (a: Operand, b: Operand): Tensor => wholeNumbers('remainder', a, b, () => remaindering)

/** bool has no fmod kernel, and float16 none on the CPU's integer path; floats take the plain formula. */
const fmod = (a: Operand, b: Operand): Tensor => wholeNumbers('fmod', a, b, () => modulus)

const trueDivisions = withInPlace(
  defineOp('aten::div.Tensor(Tensor self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => trueDivide(self, other),
  }),
  defineOp('aten::div.Scalar(Tensor self, Scalar other) -> Tensor', {
    reference: ({ self, other }) => trueDivide(self, other),
  }),
)

const modeDivisions = withInPlace(
  defineOp('aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor', {
    reference: ({ self, other, rounding_mode }) => divide(self, other, rounding_mode),
  }),
  defineOp('aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor', {
    reference: ({ self, other, rounding_mode }) => divide(self, other, rounding_mode),
  }),
)

const floorDivideTensor = defineOp('aten::floor_divide(Tensor self, Tensor other) -> Tensor', {
  reference: ({ self, other }) => floorDivide(self, other),
})

const floorDivideScalar = defineOp('aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor', {
  reference: ({ self, other }) => floorDivide(self, other),
})

function synonyms(operators: readonly Operator[], other: string): Operator[] {
  return operators.map((operator) => renamed(operator, operator.schema.name.replace('div', other)))
}

export const divisionOperators: readonly Operator[] = [
  ...trueDivisions,
  ...modeDivisions,
  ...synonyms(trueDivisions, 'true_divide'),
  ...synonyms([...trueDivisions, ...modeDivisions], 'divide'),
  floorDivideTensor,
  floorDivideScalar,
  inPlace(floorDivideTensor, 'Tensor'),
  inPlace(floorDivideScalar),
  ...withInPlace(
    defineOp('aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor', {
      reference: ({ self, other }) => remainderOf(self, other),
    }),
    defineOp('aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor', {
      reference: ({ self, other }) => remainderOf(self, other),
    }),
    defineOp('aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor', {
      reference: ({ self, other }) => fmod(self, other),
    }),
    defineOp('aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor', {
      reference: ({ self, other }) => fmod(self, other),
    }),
  ),
  defineOp('aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor', {
    reference: ({ self, other }) => remainderOf(self, other),
  }),
]
