import { full } from './creation.ts'
import type { Scalar } from '../ir/ivalue.ts'
import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { copyElements } from './convert.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { narrow, select } from './slicing.ts'
import { allocate, copyInto, numberData } from './tensor-access.ts'

/**
 * Rows per step of packed sequences (torch.nn.utils.rnn.PackedSequence).
 *
 * @throws OperatorArgumentError unless they are positive, never grow, and add up to the rows of `data`
 */
export function checkedBatches(batchSizes: Tensor, data: Tensor): number[] {
  if (batchSizes.dim !== 1 || batchSizes.dtype !== 'int64')
    throw new OperatorArgumentError(
      `batch_sizes should be one-dimensional and int64, got ${batchSizes.dtype} of size ${sizesText(batchSizes.sizes)}`,
      { argument: 'batch_sizes' },
    )
  const batches = Array.from(numberData(batchSizes))
  if (batches.length === 0) throw new OperatorArgumentError('expected batch_sizes of at least one step')
  if (batches.some((size, step) => size <= 0 || size > batches[Math.max(step - 1, 0)]!))
    throw new OperatorArgumentError(
      `batch sizes must be positive and never grow, got [${batches.join(', ')}]`,
    )
  const rows = batches.reduce((sum, size) => sum + size, 0)
  if (data.dim < 1 || data.sizes[0] !== rows)
    throw new OperatorArgumentError(
      `batch sizes add up to ${rows} rows, but data has size ${sizesText(data.sizes)}`,
    )
  return batches
}

/** Rows of padded sequences step by step, without the padding; and how many each step has. */
function pack(input: Tensor, lengths: Tensor, batchFirst: boolean): [Tensor, Tensor] {
  const counts = sequenceLengths(input, lengths, batchFirst)
  const steps = batchFirst ? transpose(input, 0, 1) : input
  const longest = counts[0]!
  if (longest > steps.sizes[0]!)
    throw new OperatorArgumentError(
      `the longest sequence has ${longest} steps, but input has ${steps.sizes[0]!}`,
      { argument: 'lengths' },
    )
  const batches = Array.from({ length: longest }, (_, step) => counts.filter((count) => count > step).length)
  const rows = counts.reduce((sum, count) => sum + count, 0)
  const data = allocate(input.dtype, [rows, ...steps.sizes.slice(2)])
  let first = 0
  batches.forEach((size, step) => {
    copyElements(narrow(data, 0, first, size), narrow(select(steps, 0, step), 0, 0, size))
    first += size
  })
  return [data, int64Vector(batches)]
}

function sequenceLengths(input: Tensor, lengths: Tensor, batchFirst: boolean): number[] {
  if (input.dim < 2 || input.numel === 0)
    throw new OperatorArgumentError(`cannot pack empty tensors, got size ${sizesText(input.sizes)}`)
  const batch = input.sizes[batchFirst ? 0 : 1]!
  if (lengths.dim !== 1 || lengths.dtype !== 'int64' || lengths.numel !== batch)
    throw new OperatorArgumentError(
      `expected lengths to be ${batch} int64 numbers, got ${lengths.dtype} of size ${sizesText(lengths.sizes)}`,
      { argument: 'lengths' },
    )
  const counts = Array.from(numberData(lengths))
  if (counts.some((count) => count <= 0))
    throw new OperatorArgumentError('length of all samples has to be greater than 0')
  if (counts.some((count, i) => i > 0 && count > counts[i - 1]!))
    throw new OperatorArgumentError('lengths array has to be sorted in decreasing order')
  return counts
}

/** The padded sequences of packed ones, and their lengths. */
function pad(
  data: Tensor,
  batchSizes: Tensor,
  batchFirst: boolean,
  value: Scalar,
  totalLength: number,
): [Tensor, Tensor] {
  const batches = checkedBatches(batchSizes, data)
  if (totalLength > 0 && totalLength < batches.length)
    throw new OperatorArgumentError(
      `expected total_length to be at least the length of the longest sequence in input, ` +
        `but got total_length=${totalLength} and max sequence length being ${batches.length}`,
    )
  const batch = batches[0]!
  const sizes = [Math.max(totalLength, batches.length), batch, ...data.sizes.slice(1)]
  const padded = full(sizes, value, data.dtype)
  let first = 0
  batches.forEach((size, step) => {
    copyInto(narrow(select(padded, 0, step), 0, 0, size), narrow(data, 0, first, size))
    first += size
  })
  const lengths = Array.from({ length: batch }, (_, i) => batches.filter((size) => size > i).length)
  return [batchFirst ? transpose(padded, 0, 1) : padded, int64Vector(lengths)]
}

function int64Vector(values: readonly number[]): Tensor {
  const vector = allocate('int64', [values.length], contiguousStrides([values.length]))
  ;(vector.data as BigInt64Array).set(values.map(BigInt))
  return vector
}

export const packedSequenceOperators: readonly Operator[] = [
  defineOp(
    'aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)',
    {
      reference: ({ input, lengths, batch_first }) => pack(input, lengths, batch_first),
    },
  ),
  defineOp(
    'aten::_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int total_length) -> (Tensor, Tensor)',
    {
      reference: ({ data, batch_sizes, batch_first, padding_value, total_length }) =>
        pad(data, batch_sizes, batch_first, padding_value, total_length),
    },
  ),
]
