import { Double, List, scalarToNumber, type IValue } from '../ir/ivalue.ts'
import { BoolT, FloatT, IntT, listOf, NumberT, type Type } from '../ir/types.ts'
import { dtypeFromCode, dtypes, type DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError, UnsupportedOperatorError } from './errors.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily } from './raw-family.ts'
import { describeValue, isInt, toIndex } from './scalar-values.ts'
import { toList } from './sequence.ts'
import { convert } from './tensor-access.ts'
import { elementsOf } from './tensor-element.ts'

/** The dtype that numbers of a TorchScript type get when none is asked for. */
const inferred: Partial<Record<Type['kind'], readonly [source: DType, result: DType]>> = {
  Float: ['float64', 'float32'],
  Int: ['int64', 'int64'],
  Bool: ['bool', 'bool'],
}

function tensorOf(values: IValue[], sizes: number[], type: Type, dtypeCode: IValue): Tensor {
  const found = inferred[type.kind]
  if (found === undefined)
    throw new UnsupportedOperatorError(`a tensor is made of ints, floats or bools, not of ${type.kind}`)
  const [source, result] = found
  const tensor = Tensor.from(source, sizes, numbersOf(values))
  return convert(tensor, dtypeCode === null ? result : dtypeFromCode(toIndex(dtypeCode)))
}

function* numbersOf(values: IValue[]): Generator<number | bigint, void, undefined> {
  for (const value of values) {
    if (isInt(value)) yield value
    else if (typeof value === 'boolean' || value instanceof Double) yield scalarToNumber(value)
    else throw new OperatorArgumentError(`a tensor is made of numbers, not of ${describeValue(value)}`)
  }
}

function typeOfNumber(value: IValue): Type {
  if (value instanceof Double) return FloatT
  return typeof value === 'boolean' ? BoolT : isInt(value) ? IntT : NumberT
}

/** Elements of nested lists in order, and the lengths, which must agree. */
function flatten(list: List): { values: IValue[]; sizes: number[]; type: Type } {
  const sizes: number[] = []
  let type: Type = listOf(list.elementType)
  let level: IValue[] = [list]
  while (type.kind === 'List') {
    const lists = level.map(toList)
    const size: number = lists[0]?.elements.length ?? 0
    const odd = lists.find(({ elements }) => elements.length !== size)
    if (odd)
      throw new OperatorArgumentError(
        `expected sequence of length ${size} at dim ${sizes.length} (got ${odd.elements.length})`,
      )
    sizes.push(size)
    level = lists.flatMap(({ elements }) => elements)
    type = type.element
  }
  return { values: level, sizes, type: type.kind === 'Tensor' && level.length === 0 ? FloatT : type }
}

function withGradient(tensor: Tensor, requiresGrad: IValue | undefined): Tensor {
  if (requiresGrad !== true) return tensor
  return new Tensor(tensor.storage, tensor.dtype, tensor.sizes, { requiresGrad: true })
}

function fromNumber([t, dtype]: readonly IValue[]): Tensor {
  return tensorOf([t!], [], typeOfNumber(t!), dtype!)
}

function fromList([data, dtype]: readonly IValue[]): Tensor {
  const { values, sizes, type } = flatten(toList(data))
  return tensorOf(values, sizes, type, dtype!)
}

const numberTypes = ['float', 'int', 'bool', 'complex']
const options = '*, ScalarType? dtype=None, Device? device=None'

const making = [
  ...rawFamily(
    forEach(numberTypes, `aten::tensor.KEY(KEY t, ${options}, bool requires_grad=False) -> Tensor`),
    (args) => withGradient(fromNumber(args), args[3]),
  ),
  ...rawFamily([`aten::tensor(t[] data, ${options}, bool requires_grad=False) -> Tensor`], (args) =>
    withGradient(fromList(args), args[3]),
  ),
  ...rawFamily(forEach(numberTypes, `aten::as_tensor.KEY(KEY t, ${options}) -> Tensor`), fromNumber),
  ...rawFamily([`aten::as_tensor.list(t[] data, ${options}) -> Tensor`], fromList),
  ...rawFamily([`aten::as_tensor(Tensor(a) data, ${options}) -> Tensor(b|a)`], ([data, dtype]) =>
    dtype === null ? data! : convert(toTensor(data), dtypeFromCode(toIndex(dtype))),
  ),
  ...rawFamily(
    ['prim::NumToTensor.Scalar(Scalar a) -> Tensor', 'prim::NumToTensor.bool(bool a) -> Tensor'],
    // Unlike `aten::tensor`, a float stays a double here.
    ([a]) => tensorOf([a!], [], typeOfNumber(a!), a instanceof Double ? dtypes.float64.code : null),
  ),
]

function toTensor(value: IValue | undefined): Tensor {
  if (value instanceof Tensor) return value
  throw new OperatorArgumentError(`expected a Tensor but found ${describeValue(value)}`)
}

const listElements = [IntT, FloatT, BoolT]

/** `x.tolist()`; libtorch's emitter says the depth and the code of the element type. */
function toNestedList([data, dimValue, elementCode]: readonly IValue[]): IValue {
  const tensor = toTensor(data)
  const dim = toIndex(dimValue)
  const element = listElements[toIndex(elementCode)]
  if (tensor.dim !== dim)
    throw new OperatorArgumentError(
      `tolist() is annotated with ${dim} dimensions but the tensor has ${tensor.dim}`,
    )
  if (element === undefined || !holds(tensor.dtype, element))
    throw new OperatorArgumentError(`tolist() is annotated with another element type than ${tensor.dtype}`)
  return nest([...elementsOf(tensor)], tensor.sizes, element)
}

function holds(dtype: DType, element: Type): boolean {
  if (element.kind === 'Float') return dtypes[dtype].category === 'floating'
  return element.kind === 'Bool' ? dtype === 'bool' : dtype === 'int64'
}

function nest(values: readonly IValue[], sizes: readonly number[], element: Type): IValue {
  const [first, ...rest] = sizes
  if (first === undefined) return values[0]!
  const inner = rest.reduceRight<Type>((type) => ({ kind: 'List', element: type }), element)
  const step = values.length / Math.max(first, 1)
  return new List(
    Array.from({ length: first }, (_, i) => nest(values.slice(i * step, (i + 1) * step), rest, element)),
    inner,
  )
}

export const valueTensor: readonly Operator[] = [
  ...making,
  ...rawFamily(['prim::tolist(...) -> ...'], (args) => [toNestedList(args)]),
]
