import { Tensor } from '../tensor/tensor.ts'
import { GraphFunction } from './graph-function.ts'
import {
  Complex,
  Device,
  Dict,
  Double,
  EnumValue,
  Future,
  List,
  ScriptObject,
  Tuple,
  type IValue,
} from './ivalue.ts'
import {
  BoolT,
  ComplexT,
  DeviceT,
  dictOf,
  FloatT,
  IntT,
  listOf,
  NoneT,
  StringT,
  TensorT,
  tupleOf,
  type TensorType,
  type Type,
} from './types.ts'

/** The type that `IValue::type()` gives; tensors with all that is known of them. */
export function typeOfValue(value: IValue): Type {
  if (value === null) return NoneT
  if (typeof value === 'boolean') return BoolT
  if (typeof value === 'number' || typeof value === 'bigint') return IntT
  if (typeof value === 'string') return StringT
  if (value instanceof Double) return FloatT
  if (value instanceof Tensor) return typeOfTensor(value)
  if (value instanceof List) return listOf(value.elementType)
  if (value instanceof Tuple) return value.type ?? tupleOf(value.elements.map(typeOfValue))
  if (value instanceof Dict) return dictOf(value.keyType, value.valueType)
  if (value instanceof Complex) return ComplexT
  if (value instanceof Device) return DeviceT
  if (value instanceof ScriptObject || value instanceof EnumValue) return value.type
  if (value instanceof Future) return { kind: 'Future', element: value.elementType }
  if (value instanceof GraphFunction) return { kind: 'Function', name: value.qualifiedName }
  return { kind: 'Opaque', name: value.className }
}

/**
 * Everything that is known of a tensor: `Float(2, 3, strides=[3, 1], requires_grad=0, device=cpu)`, with `layout="Ab8a"`
 * in place of the strides where it lies so. What only a backend can read is a `Tensor`.
 */
export function typeOfTensor(tensor: Tensor): TensorType {
  const { dtype, sizes, layout, requiresGrad } = tensor
  if (layout?.kind === 'opaque') return TensorT
  const place = layout === undefined ? { strides: tensor.strides } : { layout }
  return { kind: 'Tensor', dtype, sizes, ...place, requiresGrad, device: 'cpu' }
}
