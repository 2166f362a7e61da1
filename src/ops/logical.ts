import { isFloating } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { binary, predicate, type Operand } from './binary.ts'
import { mapUnary, type BinaryKernel } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { inPlace, renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { resultType } from './type-promotion.ts'

const logicalAnd: BinaryKernel = {
  number: (a, b) => a !== 0 && b !== 0,
  bigint: (a, b) => a !== 0n && b !== 0n,
}
const logicalOr: BinaryKernel = {
  number: (a, b) => a !== 0 || b !== 0,
  bigint: (a, b) => a !== 0n || b !== 0n,
}
const logicalXor: BinaryKernel = {
  number: (a, b) => (a !== 0) !== (b !== 0),
  bigint: (a, b) => (a !== 0n) !== (b !== 0n),
}

const bitAnd: BinaryKernel = { number: (a, b) => a & b, bigint: (a, b) => a & b }
const bitOr: BinaryKernel = { number: (a, b) => a | b, bigint: (a, b) => a | b }
const bitXor: BinaryKernel = { number: (a, b) => a ^ b, bigint: (a, b) => a ^ b }
const shiftLeft: BinaryKernel = {
  number: (a, b) => (b < 0 || b > 31 ? 0 : a << b),
  bigint: (a, b) => (b < 0n || b > 63n ? 0n : a << b),
}
const shiftRight: BinaryKernel = {
  number: (a, b) => a >> (b < 0 || b > 31 ? 31 : b),
  bigint: (a, b) => a >> (b < 0n || b > 63n ? 63n : b),
}

function bitwise(a: Operand, b: Operand, kernel: BinaryKernel): Tensor {
  const common = resultType(a, b)
  if (isFloating(common))
    throw new OperatorArgumentError(`bitwise operators take integral tensors, not ${common}`)
  return binary(a, b, kernel, common)
}

interface Operands {
  readonly self: Operand
  readonly other: Operand
}

/** `aten::bitwise_and` and its older spelling `__and__`, with Scalar operands on either side. */
function bitwiseOperators(name: string, python: string, kernel: BinaryKernel): Operator[] {
  const reference = ({ self, other }: Operands): Tensor => bitwise(self, other, kernel)
  const [tensor, scalar] = [
    defineOp(`aten::${name}.Tensor(Tensor self, Tensor other) -> Tensor`, { reference }),
    defineOp(`aten::${name}.Scalar(Tensor self, Scalar other) -> Tensor`, { reference }),
  ] as const
  return [
    ...withInPlace(tensor, scalar),
    defineOp(`aten::${name}.Scalar_Tensor(Scalar self, Tensor other) -> Tensor`, { reference }),
    ...pythonSpellings(tensor, scalar, python),
  ]
}

function shiftOperators(name: string, python: string, kernel: BinaryKernel): Operator[] {
  const reference = ({ self, other }: Operands): Tensor => bitwise(self, other, kernel)
  const [tensor, scalar] = [
    defineOp(`aten::${name}.Tensor(Tensor self, Tensor other) -> Tensor`, { reference }),
    defineOp(`aten::${name}.Scalar(Tensor self, Scalar other) -> Tensor`, { reference }),
  ] as const
  return [
    ...withInPlace(
      tensor,
      defineOp(`aten::${name}.Tensor_Scalar(Tensor self, Scalar other) -> Tensor`, { reference }),
    ),
    defineOp(`aten::${name}.Scalar_Tensor(Scalar self, Tensor other) -> Tensor`, { reference }),
    ...pythonSpellings(tensor, scalar, python),
  ]
}

/** `a & b` was compiled to `__and__`, and `a &= b` to `__iand__`. */
function pythonSpellings(tensor: Operator, scalar: Operator, python: string): Operator[] {
  return [tensor, scalar].flatMap((operator) => [
    renamed(operator, `aten::__${python}__`),
    renamed(inPlace(operator), `aten::__i${python}__`),
  ])
}

function logicalOperators(name: string, kernel: BinaryKernel): Operator[] {
  return withInPlace(
    defineOp(`aten::${name}(Tensor self, Tensor other) -> Tensor`, {
      reference: ({ self, other }) => predicate(self, other, kernel),
    }),
  )
}

function invert(self: Tensor): Tensor {
  if (isFloating(self.dtype))
    throw new OperatorArgumentError(`bitwise_not takes integral and bool tensors, not ${self.dtype}`)
  const number = self.dtype === 'bool' ? (x: number): number => 1 - x : (x: number): number => ~x
  return mapUnary(self, self.dtype, { number, bigint: (x) => ~x })
}

/** Whether each element is zero. */
export function logicalNot(self: Tensor): Tensor {
  return mapUnary(self, 'bool', { number: (x) => x === 0, bigint: (x) => x === 0n })
}

export const logicalTensorOperators: readonly Operator[] = [
  ...logicalOperators('logical_and', logicalAnd),
  ...logicalOperators('logical_or', logicalOr),
  ...logicalOperators('logical_xor', logicalXor),
  ...bitwiseOperators('bitwise_and', 'and', bitAnd),
  ...bitwiseOperators('bitwise_or', 'or', bitOr),
  ...bitwiseOperators('bitwise_xor', 'xor', bitXor),
  ...shiftOperators('bitwise_left_shift', 'lshift', shiftLeft),
  ...shiftOperators('bitwise_right_shift', 'rshift', shiftRight),
  ...withInPlace(
    defineOp('aten::logical_not(Tensor self) -> Tensor', { reference: ({ self }) => logicalNot(self) }),
    defineOp('aten::bitwise_not(Tensor self) -> Tensor', { reference: ({ self }) => invert(self) }),
  ),
]
