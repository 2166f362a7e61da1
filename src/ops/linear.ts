import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel, requireSameDType } from './float-compute.ts'
import { matmul } from './matmul.ts'
import { matrixProduct } from './matrix-product.ts'
import { defineOp, type Operator } from './operator.ts'
import { matrixTranspose } from './permuting.ts'
import { reshape } from './reshaping.ts'

/**
 * input · weightᵀ + bias over the last dimension: … × in by out × in gives … × out. Sums are doubles, rounded once.
 *
 * @throws OperatorArgumentError when dtypes or sizes do not fit
 */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireSameDType(input, { weight, bias })
  if (weight.dim === 1 && bias === null) return matmul(input, weight)
  if (input.dim === 0 || weight.dim !== 2)
    throw new OperatorArgumentError(
      `linear needs an input of at least one dimension and a weight of two, ` +
        `but got input of size ${sizesText(input.sizes)} and weight of size ${sizesText(weight.sizes)}`,
    )
  const [outputs, inputs] = weight.sizes as [number, number]
  const rows = numelOf(input.sizes.slice(0, -1))
  if (input.sizes.at(-1) !== inputs)
    throw new OperatorArgumentError(
      `mat1 and mat2 shapes cannot be multiplied (${rows}x${input.sizes.at(-1)!} and ${inputs}x${outputs})`,
    )
  if (bias !== null && (bias.dim > 1 || (bias.numel !== outputs && bias.numel !== 1)))
    throw new OperatorArgumentError(
      `expected bias to have ${outputs} elements, but got bias of size ${sizesText(bias.sizes)}`,
      { argument: 'bias' },
    )
  const columnBias = bias?.numel === outputs ? bias : bias && bias.asStrided([outputs], [0])
  const product = matrixProduct(reshape(input, [rows, inputs]), matrixTranspose(weight), { bias: columnBias })
  return fromKernel(reshape(product, [...input.sizes.slice(0, -1), outputs]), input.dtype)
}

export const linearOperators: readonly Operator[] = [
  defineOp('aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor', {
    freezable: ['weight', 'bias'],
    role: 'linear',
    reference: ({ input, weight, bias }) => linear(input, weight, bias),
  }),
]
