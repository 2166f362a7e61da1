import { contiguousStrides, Tensor } from '../tensor/tensor.ts'
import { index } from './advanced-index.ts'
import type { Operand } from './binary.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import type { NumberArray } from './convert.ts'
import { OperatorArgumentError } from './errors.ts'
import { withInPlace } from './in-place.ts'
import { broadcastStrides, elementwiseStrides } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { forEachRow, planLoop, rowStrides } from './strided-loop.ts'
import { allocateFor, anyMeta, cloneAs, contiguousData, convert, numberData } from './tensor-access.ts'
import { resultType } from './type-promotion.ts'

function checkMask(mask: Tensor, what: string): void {
  if (mask.dtype !== 'bool' && mask.dtype !== 'uint8')
    throw new OperatorArgumentError(`${what} expected a bool or uint8 mask, but got dtype ${mask.dtype}`)
}

/** Elements of `yes` where the condition holds, of `no` elsewhere; all three broadcast, the values promoted. */
export function where(condition: Tensor, yes: Operand, no: Operand): Tensor {
  checkMask(condition, 'where')
  const dtype = resultType(yes, no)
  const [a, b] = [yes, no].map((value) =>
    value instanceof Tensor ? convert(value, dtype) : scalarTensor(value, dtype),
  ) as [Tensor, Tensor]
  return choose(condition, a, b)
}

function choose(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const sizes = broadcastSizes(condition.sizes, a.sizes, b.sizes)
  const result = allocateFor([condition, a, b], a.dtype, sizes, elementwiseStrides(sizes, [condition, a, b]))
  if (result.isMeta) return result
  const operands = [condition, a, b]
  const loop = planLoop(sizes, [
    result.strides,
    ...operands.map((operand) => broadcastStrides(operand, sizes)),
  ])
  const [, cs, as, bs] = rowStrides(loop) as [number, number, number, number]
  const [out, mask, x, y] = [result, ...operands].map(({ data }) => data) as [
    NumberArray,
    NumberArray,
    NumberArray,
    NumberArray,
  ]
  forEachRow(loop, [0, ...operands.map(({ storageOffset }) => storageOffset)], ([o, c, i, j]) => {
    for (let k = 0; k < loop.rowLength; k++)
      out[o! + k] = mask[c! + k * cs] !== 0 ? x[i! + k * as]! : y[j! + k * bs]!
  })
  return result
}

function maskedFill(self: Tensor, mask: Tensor, value: Tensor): Tensor {
  checkMask(mask, 'masked_fill')
  if (value.dim > 0)
    throw new OperatorArgumentError(
      `masked_fill only supports a 0-dimensional value tensor, but got tensor with ${value.dim} dimension(s)`,
    )
  return choose(mask, convert(value, self.dtype), self)
}

function maskedSelect(self: Tensor, mask: Tensor): Tensor {
  checkMask(mask, 'masked_select')
  const sizes = broadcastSizes(self.sizes, mask.sizes)
  return index(broadcastTo(self, sizes), [broadcastTo(mask, sizes)])
}

/** `self` with its masked elements replaced by those of `source`, one after the other. */
function maskedScatter(self: Tensor, mask: Tensor, source: Tensor): Tensor {
  checkMask(mask, 'masked_scatter')
  if (source.dtype !== self.dtype)
    throw new OperatorArgumentError(
      `masked_scatter: expected self and source to have same dtypes but got ${self.dtype} and ${source.dtype}`,
    )
  const sizes = broadcastSizes(self.sizes, mask.sizes)
  if (anyMeta([self, mask, source])) return Tensor.meta(self.dtype, sizes)
  const result = cloneAs(broadcastTo(self, sizes), self.dtype, contiguousStrides(sizes))
  const truths = numberData(broadcastTo(mask, sizes))
  const [out, values] = [result.data as NumberArray, contiguousData(source) as NumberArray]
  let next = 0
  truths.forEach((truth, i) => {
    if (truth === 0) return
    if (next >= values.length)
      throw new OperatorArgumentError(
        `masked_scatter: expected source to have at least as many elements as the mask has ones, but it has ${values.length}`,
      )
    out[i] = values[next++]!
  })
  return result
}

export const maskingOperators: readonly Operator[] = [
  defineOp('aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor', {
    reference: ({ condition, self, other }) => where(condition, self, other),
  }),
  defineOp('aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor', {
    reference: ({ condition, self, other }) => where(condition, self, other),
  }),
  defineOp('aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor', {
    reference: ({ condition, self, other }) => where(condition, self, other),
  }),
  defineOp('aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor', {
    reference: ({ condition, self, other }) => where(condition, self, other),
  }),
  defineOp('aten::masked_select(Tensor self, Tensor mask) -> Tensor', {
    reference: ({ self, mask }) => maskedSelect(self, mask),
  }),
  ...withInPlace(
    defineOp('aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor', {
      reference: ({ self, mask, value }) => maskedFill(self, mask, scalarTensor(value, self.dtype)),
    }),
    defineOp('aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor', {
      reference: ({ self, mask, value }) => maskedFill(self, mask, value),
    }),
    defineOp('aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor', {
      reference: ({ self, mask, source }) => maskedScatter(self, mask, source),
    }),
  ),
]
