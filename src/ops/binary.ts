import type { Scalar } from '../ir/ivalue.ts'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { computeDType, mapBinary, type BinaryKernel } from './elementwise.ts'
import { scalarTensor } from './scalar-operand.ts'
import { floatingType, resultType } from './type-promotion.ts'

export type Operand = Tensor | Scalar

/** A function of each pair of elements, in the operands' common dtype. */
export function binary(a: Operand, b: Operand, kernel: BinaryKernel, common = resultType(a, b)): Tensor {
  return mapBinary(toTensor(a, common), toTensor(b, common), common, common, kernel)
}

/** As `binary`, in the common floating dtype: integers and bools are computed as float32. */
export function floatingBinary(a: Operand, b: Operand, kernel: BinaryKernel): Tensor {
  return binary(a, b, kernel, floatingType(resultType(a, b)))
}

/** A question about each pair of elements, asked in their common dtype, answered in bool. */
export function predicate(a: Operand, b: Operand, kernel: BinaryKernel): Tensor {
  const common = resultType(a, b)
  return mapBinary(toTensor(a, common), toTensor(b, common), common, 'bool', kernel)
}

function toTensor(operand: Operand, common: DType): Tensor {
  return operand instanceof Tensor ? operand : scalarTensor(operand, computeDType(common))
}
