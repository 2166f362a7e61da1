import { Dict, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Every tensor within a value: in lists, tuples and dicts too, in their order. */
export function* tensorsIn(value: IValue): Generator<Tensor, void, undefined> {
  if (value instanceof Tensor) yield value
  else if (value instanceof List || value instanceof Tuple)
    for (const element of value.elements) yield* tensorsIn(element)
  else if (value instanceof Dict) for (const [, item] of value.entries()) yield* tensorsIn(item)
}

/** A copy of the value with other tensors in the places of its own. */
export function replaceTensors(value: IValue, replace: (tensor: Tensor) => Tensor): IValue {
  if (value instanceof Tensor) return replace(value)
  if (value instanceof List)
    return new List(
      value.elements.map((element) => replaceTensors(element, replace)),
      value.elementType,
    )
  if (value instanceof Tuple)
    return new Tuple(
      value.elements.map((element) => replaceTensors(element, replace)),
      value.type,
    )
  if (!(value instanceof Dict)) return value
  const copy = new Dict(value.keyType, value.valueType)
  for (const [key, item] of value.entries()) copy.set(key, replaceTensors(item, replace))
  return copy
}
