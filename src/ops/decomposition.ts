import { List, type IValue } from '../ir/ivalue.ts'
import { IntT } from '../ir/types.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { permute } from './permuting.ts'
import { reshape } from './reshaping.ts'

/**
 * Runs another operator in place of the one that is taken apart: `call('aten::softmax.int', scores, -1, null)`, with every
 * argument of its schema, floats and lists as the interpreter has them.
 */
export type CallOperator = (key: string, ...args: readonly IValue[]) => Tensor

/** A list of ints as an operator's argument. */
export function intList(values: readonly number[]): List {
  return new List([...values], IntT)
}

/** What moves elements and computes nothing: kernels, or calls of the operators of these names. */
export interface Rearranging {
  permute(tensor: Tensor, order: readonly number[]): Tensor
  reshape(tensor: Tensor, sizes: readonly number[]): Tensor
}

export const rearrangingKernels: Rearranging = { permute, reshape }

export function rearrangingBy(call: CallOperator): Rearranging {
  return {
    permute: (tensor, order) => call('aten::permute', tensor, intList(order)),
    reshape: (tensor, sizes) => call('aten::reshape', tensor, intList(sizes)),
  }
}
