import { typeOfTensor } from '../ir/type-of-value.ts'
import { printType } from '../ir/type-printer.ts'
import { plainTensor } from '../tensor/convert-layout.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** An output in a JSON document. */
export function describe([name, tensor]: readonly [string, Tensor]): {
  name: string
  dtype: string
  sizes: readonly number[]
  first: readonly (number | string)[]
} {
  return { name, dtype: tensor.dtype, sizes: tensor.sizes, first: firstElements(tensor, 8) }
}

/** An output in a line for people. */
export function summaryLine([name, tensor]: readonly [string, Tensor]): string {
  const more = tensor.numel > 6 ? ', …' : ''
  const elements = firstElements(tensor, 6).map((element) =>
    typeof element === 'number' ? Number(element.toPrecision(6)) : element,
  )
  return `${name} : ${printType(typeOfTensor(tensor))} = [${elements.join(', ')}${more}]`
}

/** The first elements in row-major order. */
function firstElements(given: Tensor, count: number): (number | string)[] {
  const tensor = plainTensor(given)
  const elements: (number | string)[] = []
  for (let i = 0; i < Math.min(count, tensor.numel); i++) {
    let rest = i
    let offset = tensor.storageOffset
    for (let dim = tensor.dim - 1; dim >= 0; dim--) {
      const size = tensor.sizes[dim] as number
      offset += (rest % size) * (tensor.strides[dim] as number)
      rest = Math.floor(rest / size)
    }
    const element = tensor.data[offset] ?? 0
    elements.push(typeof element === 'bigint' ? element.toString() : element)
  }
  return elements
}
