import { Double, scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { isFloating } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { binary, type Operand } from './binary.ts'
import type { BinaryKernel } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { inPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { resultType } from './type-promotion.ts'

/** C's pow, which differs from ECMAScript's where |base| is 1. */
export function cPow(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1
  return base ** exponent
}

/** A power modulo 2^64; negative exponents give 0 but for the bases 1 and -1. */
function integerPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) return base === 1n ? 1n : base === -1n ? (exponent % 2n === 0n ? 1n : -1n) : 0n
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

const power: BinaryKernel = {
  number: cPow,
  bigint: integerPower,
  integer: (a, b) => Number(BigInt.asIntN(32, integerPower(BigInt(a), BigInt(b)))),
}

const squareRoot: BinaryKernel = { number: (a) => Math.sqrt(a) }
const inverseSquareRoot: BinaryKernel = { number: (a) => 1 / Math.sqrt(a) }

/** Each base to each exponent, after broadcasting and type promotion. */
export function raise(base: Operand, exponent: Operand): Tensor {
  const common = resultType(base, exponent)
  if (common === 'bool') throw new OperatorArgumentError('pow is not implemented for bool tensors')
  if (exponent instanceof Tensor) return binary(base, exponent, power, common)
  if (!isFloating(common) && scalarToNumber(exponent) < 0)
    throw new OperatorArgumentError(
      `integers to negative integer powers are not allowed: exponent ${scalarToNumber(exponent)}`,
    )
  return binary(base, exponent, kernelFor(exponent), common)
}

function kernelFor(exponent: Scalar): BinaryKernel {
  if (!(exponent instanceof Double)) return power
  if (exponent.value === 0.5) return squareRoot
  return exponent.value === -0.5 ? inverseSquareRoot : power
}

const tensorScalar = defineOp('aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor', {
  reference: ({ self, exponent }) => raise(self, exponent),
})

const tensorTensor = defineOp('aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor', {
  reference: ({ self, exponent }) => raise(self, exponent),
})

export const powerOperators: readonly Operator[] = [
  tensorScalar,
  tensorTensor,
  inPlace(tensorScalar, 'Scalar'),
  inPlace(tensorTensor, 'Tensor'),
  defineOp('aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor', {
    reference: ({ self, exponent }) => raise(self, exponent),
  }),
]
