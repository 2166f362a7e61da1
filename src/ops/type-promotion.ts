import { Complex, Double, type Scalar } from '../ir/ivalue.ts'
import { dtypes, isFloating, type DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'

export const defaultDType: DType = 'float32'

const integralRank: readonly DType[] = ['bool', 'int8', 'int16', 'int32', 'int64']
const floatingRank: readonly DType[] = ['float16', 'float32', 'float64']
const complexRank: readonly DType[] = ['complex32', 'complex64', 'complex128']

/** The smallest dtype that both fit in (c10::promoteTypes): uint8 with a signed type gives at least int16. */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a
  const order = { bool: 0, integral: 1, floating: 2, complex: 3, quantized: 4 } as const
  const [low, high] = order[dtypes[a].category] <= order[dtypes[b].category] ? [a, b] : [b, a]
  const category = dtypes[high].category
  if (category === 'complex') return promoteComplex(low, high)
  if (category !== dtypes[low].category) return high
  if (category === 'floating') {
    if (a === 'bfloat16' || b === 'bfloat16') return promoteBfloat16(a === 'bfloat16' ? b : a)
    return later(floatingRank, a, b)
  }
  return promoteIntegral(a, b)
}

function later(rank: readonly DType[], a: DType, b: DType): DType {
  return rank.indexOf(a) >= rank.indexOf(b) ? a : b
}

function promoteBfloat16(other: DType): DType {
  return other === 'float64' ? 'float64' : 'float32'
}

function promoteIntegral(a: DType, b: DType): DType {
  if (a !== 'uint8' && b !== 'uint8') return later(integralRank, a, b)
  const other = a === 'uint8' ? b : a
  if (other === 'bool') return 'uint8'
  return other === 'int8' ? 'int16' : other
}

function promoteComplex(low: DType, high: DType): DType {
  if (dtypes[low].category === 'complex') return later(complexRank, low, high)
  return isFloating(low) ? later(complexRank, toComplex(low), high) : high
}

function toComplex(dtype: DType): DType {
  return dtype === 'float64' ? 'complex128' : dtype === 'float16' ? 'complex32' : 'complex64'
}

/** The dtype that a Scalar has as a tensor: int64, bool, or the default floating dtype. */
export function scalarDType(scalar: Scalar): DType {
  if (typeof scalar === 'boolean') return 'bool'
  if (scalar instanceof Double) return defaultDType
  return scalar instanceof Complex ? 'complex64' : 'int64'
}

/** `combine_categories` of aten/src/ATen/native/TypeProperties.cpp: a higher priority keeps its width in a category. */
function combine(higher: DType | undefined, lower: DType | undefined): DType | undefined {
  if (higher === undefined || lower === undefined) return higher ?? lower
  const low = dtypes[lower].category
  const high = dtypes[higher].category
  if (high === 'complex') return higher
  if (high === 'floating') return low === 'complex' ? toComplex(higher) : higher
  if (high === 'bool' || low === 'floating' || low === 'complex') return promoteTypes(higher, lower)
  return higher
}

/**
 * The dtype in which an operator computes on these operands (torch.result_type): tensors with dimensions decide;
 * tensors without, then Scalars, only raise the category (bool < integral < floating < complex).
 */
export function resultType(...operands: readonly (Tensor | Scalar)[]): DType {
  let dimensioned: DType | undefined
  let zeroDimensional: DType | undefined
  let scalar: DType | undefined
  for (const operand of operands) {
    if (!(operand instanceof Tensor)) scalar = promoted(scalar, scalarDType(operand))
    else if (operand.dim > 0) dimensioned = promoted(dimensioned, operand.dtype)
    else zeroDimensional = promoted(zeroDimensional, operand.dtype)
  }
  return combine(dimensioned, combine(zeroDimensional, scalar)) ?? defaultDType
}

function promoted(a: DType | undefined, b: DType): DType {
  return a === undefined ? b : promoteTypes(a, b)
}

/** The dtype of a float-valued function of such values: integers and bools give the default dtype. */
export function floatingType(dtype: DType): DType {
  const { category } = dtypes[dtype]
  return category === 'integral' || category === 'bool' ? defaultDType : dtype
}

/** Whether a result of dtype `from` may be stored in place of `to`: never down a category (c10::canCast). */
export function canCast(from: DType, to: DType): boolean {
  const source = dtypes[from].category
  const target = dtypes[to].category
  if (source === 'complex') return target === 'complex'
  if (source === 'floating') return target === 'floating' || target === 'complex'
  return target !== 'bool' || source === 'bool'
}
