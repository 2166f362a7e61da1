import { isFloating } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { scratchDoubles } from './scratch.ts'
import { allocate, convert, floatData, numberData } from './tensor-access.ts'
import { promoteTypes } from './type-promotion.ts'

const modes = { sum: 0, mean: 1, max: 2 } as const

interface BagArguments {
  readonly weight: Tensor
  readonly indices: Tensor
  readonly offsets: Tensor
  readonly mode: number
  readonly per_sample_weights: Tensor | null
  readonly include_last_offset: boolean
  readonly padding_idx?: number | null
}

interface Bags {
  readonly indices: Float64Array | Int32Array
  /** Where each bag begins among the indices, and where the last one ends. */
  readonly bounds: readonly number[]
  readonly count: number
  /** No row of the table is this one; -1 where every index counts. */
  readonly padding: number
}

/**
 * The sum, mean or greatest of the table's rows in each bag of indices; then for each index its bag, for each bag
 * its size, and for each greatest element its row. What libtorch leaves out of the last three, because it needs it
 * only for gradients (aten/src/ATen/native/EmbeddingBag.cpp), is left out here too.
 *
 * @throws OperatorArgumentError for other shapes or dtypes, an index without a row, or bags that do not ascend
 */
function embeddingBag(args: BagArguments): Tensor[] {
  const { weight, mode, per_sample_weights: factors } = args
  checkTypes(args)
  const bags = bagsOf(args)
  const width = weight.sizes[1]!
  const result = allocate(kernelDType(weight.dtype), [bags.count, width])
  const greatest = scratchDoubles(mode === modes.max ? bags.count * width : 0)
  const table = floatData(weight)
  const scale = factors && floatData(factors)
  const sizes = Array.from({ length: bags.count }, (_, bag) => {
    const line = floatsOf(result).subarray(bag * width, (bag + 1) * width)
    const members = membersOf(bags, bag)
    if (mode === modes.max) maximum(line, greatest.subarray(bag * width), table, members, bags.indices)
    else total(line, table, members, bags.indices, scale, mode === modes.mean ? members.length : 1)
    return members.length
  })
  return [fromKernel(result, weight.dtype), ...bookkeeping(args, bags, sizes, greatest)]
}

function checkTypes({ weight, indices, offsets, mode, per_sample_weights: factors }: BagArguments): void {
  if (weight.dim !== 2 || !isFloating(weight.dtype))
    throw new OperatorArgumentError(
      `expected a floating matrix as weight, got ${weight.dtype} of size ${sizesText(weight.sizes)}`,
      { argument: 'weight' },
    )
  for (const [argument, tensor] of Object.entries({ indices, offsets }))
    if (tensor.dim !== 1 || (tensor.dtype !== 'int64' && tensor.dtype !== 'int32'))
      throw new OperatorArgumentError(
        `expected ${argument} to be 1-D and int64 or int32, got ${tensor.dtype} of size ${sizesText(tensor.sizes)}`,
        { argument },
      )
  if (factors === null) return
  requireSameDType(weight, { per_sample_weights: factors })
  if (mode !== modes.sum)
    throw new OperatorArgumentError("embedding_bag: per_sample_weights only supported with mode='sum'", {
      argument: 'per_sample_weights',
    })
  if (factors.sizes.join() !== indices.sizes.join())
    throw new OperatorArgumentError(
      `expected as many per_sample_weights as indices, got ${sizesText(factors.sizes)} and ${sizesText(indices.sizes)}`,
      { argument: 'per_sample_weights' },
    )
}

function bagsOf({
  weight,
  indices,
  offsets,
  include_last_offset: hasEnd,
  padding_idx: padding,
}: BagArguments): Bags {
  const rows = weight.sizes[0]!
  const data = numberData(indices) as Float64Array | Int32Array
  const outside = data.find((index) => index < 0 || index >= rows)
  if (outside !== undefined)
    throw new OperatorArgumentError(`index ${outside} is out of bounds of ${rows} rows`, {
      argument: 'indices',
    })
  const starts = Array.from(numberData(offsets))
  if (hasEnd && starts.length === 0)
    throw new OperatorArgumentError('include_last_offset: number of offset should be at least 1')
  const ends = hasEnd ? starts : [...starts, data.length]
  const wrong = ends.some(
    (bound, i) =>
      (i === 0 && starts.length > 0 && bound !== 0) || bound > data.length || bound < (ends[i - 1] ?? 0),
  )
  if (wrong)
    throw new OperatorArgumentError(
      `offsets must begin with 0 and ascend to at most ${data.length}, got [${starts.join(', ')}]`,
      { argument: 'offsets' },
    )
  return { indices: data, bounds: ends, count: ends.length - 1, padding: paddingRow(padding ?? null, rows) }
}

function paddingRow(padding: number | null, rows: number): number {
  if (padding === null) return -1
  if (padding < -rows || padding >= rows)
    throw new OperatorArgumentError(
      `padding_idx must be within the number of embeddings, ${rows}, got ${padding}`,
      {
        argument: 'padding_idx',
      },
    )
  return padding < 0 ? padding + rows : padding
}

/** Positions among the indices. */
function membersOf({ indices, bounds, padding }: Bags, bag: number): number[] {
  const members: number[] = []
  for (let i = bounds[bag]!; i < bounds[bag + 1]!; i++) if (indices[i] !== padding) members.push(i)
  return members
}

type Floats = Float32Array | Float64Array

function total(
  line: Floats,
  table: Floats,
  members: readonly number[],
  indices: ArrayLike<number>,
  factors: Floats | null,
  divisor: number,
): void {
  for (let column = 0; column < line.length; column++) {
    let sum = 0
    for (const i of members) sum += table[indices[i]! * line.length + column]! * (factors ? factors[i]! : 1)
    line[column] = members.length === 0 ? 0 : sum / divisor
  }
}

function maximum(
  line: Floats,
  rows: Float64Array,
  table: Floats,
  members: readonly number[],
  indices: ArrayLike<number>,
): void {
  for (let column = 0; column < line.length; column++)
    members.forEach((i, place) => {
      const value = table[indices[i]! * line.length + column]!
      if (place > 0 && !(value > line[column]!)) return
      line[column] = value
      rows[column] = indices[i]!
    })
}

function bookkeeping(
  { weight, indices, offsets, mode, padding_idx: padding }: BagArguments,
  { bounds, count }: Bags,
  sizes: readonly number[],
  greatest: Float64Array,
): Tensor[] {
  const dtype = promoteTypes(indices.dtype, offsets.dtype)
  const numbers = (values: ArrayLike<number>, shape: readonly number[]): Tensor => {
    const tensor = allocate('float64', shape)
    floatsOf(tensor).set(values)
    return convert(tensor, dtype)
  }
  const isFast =
    mode === modes.sum && (padding ?? null) === null && weight.dtype !== 'float64' && weight.strides[1] === 1
  const owners = Array.from({ length: count }, (_, bag) =>
    new Array<number>(bounds[bag + 1]! - bounds[bag]!).fill(bag),
  ).flat()
  const counted = mode === modes.sum ? new Array<number>(offsets.numel).fill(0) : sizes
  return [
    isFast ? numbers([], [0]) : numbers(owners, [owners.length]),
    numbers(counted, [counted.length]),
    mode === modes.max ? numbers(greatest, [count, weight.sizes[1]!]) : numbers(counted, [counted.length]),
  ]
}

export const embeddingBagOperators: readonly Operator[] = [
  defineOp(
    'aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, Tensor, Tensor)',
    { freezable: ['weight'], reference: embeddingBag },
  ),
  defineOp(
    'aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, Tensor, Tensor, Tensor)',
    { freezable: ['weight'], reference: embeddingBag },
  ),
]
