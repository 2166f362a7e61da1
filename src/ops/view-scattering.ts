import { Tensor } from '../tensor/tensor.ts'
import { sameSizes } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { diagonal, select, slice } from './slicing.ts'
import { anyMeta, cloneAs, copyInto } from './tensor-access.ts'

/**
 * A copy of `self` in which a view holds `source`: what an assignment to the view would make of it.
 *
 * @throws OperatorArgumentError unless `source` has the view's size
 */
function scatterInto(self: Tensor, source: Tensor, view: (base: Tensor) => Tensor): Tensor {
  const copy = cloneAs(self)
  const result = anyMeta([self, source]) ? Tensor.meta(copy.dtype, copy.sizes, copy.strides) : copy
  const part = view(result)
  if (!sameSizes(part.sizes, source.sizes))
    throw new OperatorArgumentError(
      `expected src to have a size equal to the slice of self. src size = ${sizesText(source.sizes)}, ` +
        `slice size = ${sizesText(part.sizes)}`,
      { argument: 'src' },
    )
  copyInto(part, source)
  return result
}

export const viewScatteringOperators: readonly Operator[] = [
  defineOp('aten::select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor', {
    reference: ({ self, src, dim, index }) => scatterInto(self, src, (base) => select(base, dim, index)),
  }),
  defineOp(
    'aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor',
    {
      reference: ({ self, src, dim, start, end, step }) =>
        scatterInto(self, src, (base) => slice(base, dim, start, end, step)),
    },
  ),
  defineOp(
    'aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor',
    {
      reference: ({ self, src, offset, dim1, dim2 }) =>
        scatterInto(self, src, (base) => diagonal(base, offset, dim1, dim2)),
    },
  ),
]
