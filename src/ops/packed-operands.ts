import { List, type IValue } from '../ir/ivalue.ts'
import type { Argument } from '../ir/schema.ts'
import { plainTensor } from '../tensor/convert-layout.ts'
import { LayoutError } from '../tensor/errors.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * The value as a kernel that knows strides only may read it: a tensor with a layout is copied row-major, also in a list.
 *
 * @throws LayoutError when the operator would write such a tensor, or only a backend can read it
 */
export function stridedOperand(value: IValue, argument: Argument): IValue {
  if (isPacked(value)) return unpacked(value, argument)
  if (!(value instanceof List) || value.elementType.kind !== 'Tensor' || !value.elements.some(isPacked))
    return value
  const elements = value.elements.map((element) =>
    isPacked(element) ? unpacked(element, argument) : element,
  )
  return new List(elements, value.elementType)
}

/** Whether the argument takes tensors as tensors: one of any type is only handed on. */
export function takesTensors({ type }: Argument): boolean {
  return type.kind === 'Tensor' || (type.kind === 'Optional' && type.element.kind === 'Tensor')
}

function isPacked(value: IValue): value is Tensor {
  return value instanceof Tensor && value.layout !== undefined
}

function unpacked(tensor: Tensor, { name, alias, elementAlias }: Argument): Tensor {
  if (alias?.isWrite === true || elementAlias?.isWrite === true)
    throw new LayoutError(
      `a tensor that lies as ${tensor.layout?.tag ?? ''} cannot be written`,
      { argument: name },
      'reorder it to a plain layout first',
    )
  return plainTensor(tensor)
}
