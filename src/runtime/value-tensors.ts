import { Dict, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Every tensor within a value: in lists, tuples and dicts too, in their order. */
export function* tensorsIn(value: IValue): Generator<Tensor, void, undefined> {
  if (value instanceof Tensor) yield value
  else if (value instanceof List || value instanceof Tuple)
    for (const element of value.elements) yield* tensorsIn(element)
  else if (value instanceof Dict) for (const [, item] of value.entries()) yield* tensorsIn(item)
}

/**
 * A copy of the value with other tensors in the places of its own.
 *
 * @param known copies of lists, tuples and dicts that are there already; new ones are added. Without it, one list that
 * occurs twice becomes two
 */
export function replaceTensors(
  value: IValue,
  replace: (tensor: Tensor) => Tensor,
  known?: Map<IValue, IValue>,
): IValue {
  if (value instanceof Tensor) return replace(value)
  const there = known?.get(value)
  if (there !== undefined) return there
  const copy = copyContainer(value, (item) => replaceTensors(item, replace, known))
  if (copy !== value) known?.set(value, copy)
  return copy
}

/** The value itself where it is no container. */
function copyContainer(value: IValue, copyOf: (item: IValue) => IValue): IValue {
  if (value instanceof List) return new List(value.elements.map(copyOf), value.elementType)
  if (value instanceof Tuple) return new Tuple(value.elements.map(copyOf), value.type)
  if (!(value instanceof Dict)) return value
  const copy = new Dict(value.keyType, value.valueType)
  for (const [key, item] of value.entries()) copy.set(key, copyOf(item))
  return copy
}
