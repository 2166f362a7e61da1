import { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import type { Operand } from './binary.ts'
import { sizesText } from './convolution-geometry.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { allocateFor, convert, numberData } from './tensor-access.ts'
import { resultType } from './type-promotion.ts'

interface SearchOptions {
  readonly out_int32: boolean
  readonly right: boolean
  readonly side?: string | null
  readonly sorter?: Tensor | null
}

/**
 * Where each value would be put into the last dimension of a sorted tensor: before equal ones, or behind them with
 * `right` (aten/src/ATen/native/Bucketization.cpp). One sequence serves all values, or each row its own.
 *
 * @throws OperatorArgumentError when sizes or options do not fit
 */
function searchSorted(sorted: Tensor, values: Operand, options: SearchOptions): Tensor {
  const common = resultType(sorted, values)
  const wanted = values instanceof Tensor ? convert(values, common) : scalarTensor(values, common)
  checkSearch(sorted, wanted, options)
  const { sorter = null } = options
  const result = allocateFor([sorted, wanted, sorter], options.out_int32 ? 'int32' : 'int64', wanted.sizes)
  if (result.isMeta || result.numel === 0) return result
  const [sequence, sought] = [numberData(convert(sorted, common)), numberData(wanted)]
  const order = sorter && numberData(sorter)
  const length = sorted.sizes.at(-1)!
  const perRow = sorted.dim === 1 ? sought.length : wanted.sizes.at(-1)!
  const behind = options.right || options.side === 'right'
  const { data } = result
  sought.forEach((value, i) => {
    const start = sorted.dim === 1 ? 0 : Math.floor(i / perRow) * length
    const at = (place: number): number => sequence[start + (order ? order[start + place]! : place)]!
    const found = insertionPoint(at, length, behind ? (x) => x > value : (x) => x >= value)
    data[i] = data instanceof BigInt64Array ? BigInt(found) : found
  })
  return result
}

/** The first of `length` places whose number is beyond, by bisection. */
function insertionPoint(
  at: (place: number) => number,
  length: number,
  isBeyond: (x: number) => boolean,
): number {
  let [start, end] = [0, length]
  while (start < end) {
    const middle = (start + end) >> 1
    if (isBeyond(at(middle))) end = middle
    else start = middle + 1
  }
  return start
}

function checkSearch(sorted: Tensor, values: Tensor, { right, side, sorter = null }: SearchOptions): void {
  if (side !== undefined && side !== null && side !== 'left' && side !== 'right')
    throw new OperatorArgumentError(`side can only be 'left' or 'right' but got ${side}`, {
      argument: 'side',
    })
  if (right && side === 'left')
    throw new OperatorArgumentError('side and right cannot be set to opposites: side is left, right is true')
  if (sorter !== null && (sorter.dtype !== 'int64' || sorter.sizes.join() !== sorted.sizes.join()))
    throw new OperatorArgumentError(
      `sorter must be of dtype int64 and of size ${sizesText(sorted.sizes)}, but is ${sorter.dtype} of size ` +
        sizesText(sorter.sizes),
      { argument: 'sorter' },
    )
  const fits =
    sorted.dim === 1 ||
    (sorted.dim > 1 &&
      sorted.sizes.slice(0, -1).join() === values.sizes.slice(0, -1).join() &&
      values.dim > 0)
  if (!fits)
    throw new OperatorArgumentError(
      `boundaries should be a vector, or fit the values but for the last dimension; got boundaries of size ` +
        `${sizesText(sorted.sizes)} and values of size ${sizesText(values.sizes)}`,
    )
}

/** As `searchSorted`, of boundaries that serve all values. */
function bucketize(values: Operand, boundaries: Tensor, options: SearchOptions): Tensor {
  if (boundaries.dim !== 1)
    throw new OperatorArgumentError(`boundaries tensor must be 1 dimension, but got dim(${boundaries.dim})`, {
      argument: 'boundaries',
    })
  return searchSorted(boundaries, values, options)
}

/** Whether each element is among those of another tensor. */
function isIn(elements: Operand, test: Operand, invert: boolean): Tensor {
  const common = resultType(elements, test)
  const [asked, known] = [elements, test].map((operand) =>
    operand instanceof Tensor ? convert(operand, common) : scalarTensor(operand, common),
  ) as [Tensor, Tensor]
  const result = allocateFor([asked, known], 'bool', asked.sizes)
  if (result.isMeta) return result
  // NaN is never among them.
  const members = new Set(numberData(known).filter((value) => value === value))
  numberData(asked).forEach((value, i) => (result.data[i] = Number(members.has(value) !== invert)))
  return result
}

export const searchingOperators: readonly Operator[] = [
  defineOp(
    'aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor',
    { reference: ({ sorted_sequence, self, ...options }) => searchSorted(sorted_sequence, self, options) },
  ),
  defineOp(
    'aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor',
    { reference: ({ sorted_sequence, self, ...options }) => searchSorted(sorted_sequence, self, options) },
  ),
  defineOp(
    'aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor',
    { reference: ({ self, boundaries, ...options }) => bucketize(self, boundaries, options) },
  ),
  defineOp(
    'aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor',
    { reference: ({ self, boundaries, ...options }) => bucketize(self, boundaries, options) },
  ),
  defineOp(
    'aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor',
    { reference: ({ elements, test_elements, invert }) => isIn(elements, test_elements, invert) },
  ),
  defineOp(
    'aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> Tensor',
    { reference: ({ elements, test_element, invert }) => isIn(elements, test_element, invert) },
  ),
  defineOp(
    'aten::isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor',
    { reference: ({ element, test_elements, invert }) => isIn(element, test_elements, invert) },
  ),
]
