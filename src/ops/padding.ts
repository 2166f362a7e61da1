import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'
import { stridesLike } from './channels-last.ts'
import { copyElements, type NumberArray } from './convert.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { Double, scalarToNumber, type Scalar } from '../ir/ivalue.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { tabulate } from './scratch.ts'
import { allocateFor, cloneAs, contiguousData } from './tensor-access.ts'

/** Padding of one dimension; negative numbers cut off. */
interface Edge {
  readonly size: number
  readonly before: number
  readonly after: number
}

/** The edges of each dimension: `pad` starts with the last one. */
function edgesOf(self: Tensor, pad: readonly number[]): Edge[] {
  if (pad.length % 2 !== 0)
    throw new OperatorArgumentError(`length of pad must be even but instead it equals ${pad.length}`, {
      argument: 'pad',
    })
  if (pad.length > 2 * self.dim)
    throw new OperatorArgumentError(
      `length of pad should be no more than twice the number of dimensions of the input: ` +
        `pad length is ${pad.length} while the input has ${self.dim} dimensions`,
      { argument: 'pad' },
    )
  return self.sizes.map((size, dim) => {
    const at = 2 * (self.dim - 1 - dim)
    return { size, before: pad[at] ?? 0, after: pad[at + 1] ?? 0 }
  })
}

function paddedSize({ size, before, after }: Edge): number {
  return size + before + after
}

/**
 * Surrounds the tensor with a value. Channels-last input gives a channels-last result.
 *
 * @throws OperatorArgumentError when more is cut off than there is
 */
export function padConstant(self: Tensor, pad: readonly number[], value: Scalar): Tensor {
  const edges = edgesOf(self, pad)
  const sizes = edges.map(paddedSize)
  edges.forEach((edge, dim) => {
    const kept = edge.size + Math.min(edge.before, 0) + Math.min(edge.after, 0)
    if (sizes[dim]! < 0 || kept < 0)
      throw new OperatorArgumentError(
        `the input size ${edge.size}, plus negative padding ${edge.before} and ${edge.after} ` +
          `resulted in a negative output size at dimension ${dim}`,
        { argument: 'pad' },
      )
  })
  const source = window(self, edges, (edge) => Math.max(-edge.before, 0))
  if (pad.every((n) => n <= 0)) return cloneAs(source)
  const result = allocateFor([self], self.dtype, sizes, stridesLike(sizes, self) ?? contiguousStrides(sizes))
  if (result.isMeta) return result
  if (scalarToNumber(value) !== 0) copyElements(result, scalarTensor(value, self.dtype))
  copyElements(
    window(result, edges, (edge) => Math.max(edge.before, 0)),
    source,
  )
  return result
}

/** The part of a tensor that input and result have in common. */
function window(tensor: Tensor, edges: readonly Edge[], start: (edge: Edge) => number): Tensor {
  return tensor.asStrided(
    edges.map(({ size, before, after }) => size + Math.min(before, 0) + Math.min(after, 0)),
    tensor.strides,
    edges.reduce((at, edge, dim) => at + start(edge) * tensor.strides[dim]!, tensor.storageOffset),
  )
}

type Source = (position: number, edge: Edge) => number

/** Where a position outside the input takes its element from. */
const sources: Readonly<Record<string, Source>> = {
  reflect: (position, { size }) =>
    position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position,
  replicate: (position, { size }) => Math.min(Math.max(position, 0), size - 1),
  /** Repeats what negative padding leaves of the input. */
  circular: (position, { size, before, after }) => {
    const first = Math.max(-before, 0)
    const kept = size - first - Math.max(-after, 0)
    return first + ((((position - first) % kept) + kept) % kept)
  },
}

/**
 * Surrounds the last dimensions with elements of the tensor itself; row-major.
 *
 * @throws OperatorArgumentError when the padding reaches further than the input
 */
function padWithin(self: Tensor, pad: readonly number[], mode: string): Tensor {
  const source = sources[mode]
  if (source === undefined)
    throw new OperatorArgumentError(`unrecognised padding mode ${mode}`, { argument: 'mode' })
  const edges = edgesOf(self, pad)
  const padded = pad.length / 2
  if (padded < 1 || padded > 3 || (self.dim !== padded + 1 && self.dim !== padded + 2))
    throw new OperatorArgumentError(
      `only 2D, 3D, 4D, 5D padding with non-constant padding are supported, ` +
        `but got ${pad.length} numbers for input of size ${sizesText(self.sizes)}`,
    )
  checkReach(edges.slice(-padded), self, mode)
  return gather(
    self,
    edges.slice(-padded).map((edge) => tabulate(paddedSize(edge), (i) => source(i - edge.before, edge))),
  )
}

function checkReach(edges: readonly Edge[], self: Tensor, mode: string): void {
  edges.forEach((edge, i) => {
    const { size, before, after } = edge
    const limit = mode === 'reflect' ? size - 1 : mode === 'circular' ? size : Infinity
    if (before > limit || after > limit)
      throw new OperatorArgumentError(
        `padding size should be less than the corresponding input dimension, but got: padding ` +
          `(${before}, ${after}) at dimension ${self.dim - edges.length + i} of input ${sizesText(self.sizes)} ` +
          `in mode ${mode}`,
        { argument: 'pad' },
      )
    if (size === 0 || paddedSize(edge) < 1)
      throw new OperatorArgumentError(
        `input of size ${size} with padding (${before}, ${after}) is too small in mode ${mode}`,
        { argument: 'pad' },
      )
  })
}

/** Where the most positions follow one upon the other. */
function longestRun(positions: Int32Array): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0, i = 1; i <= positions.length; i++)
    if (positions[i] !== positions[i - 1]! + 1) {
      if (i - start > best.length) best = { start, length: i - start }
      start = i
    }
  return best
}

/** Elements at the given positions of the last dimensions, one list each; any dtype. */
function gather(self: Tensor, positions: readonly Int32Array[]): Tensor {
  const lead = self.sizes.slice(0, self.dim - positions.length)
  const result = allocateFor([self], self.dtype, [...lead, ...positions.map(({ length }) => length)])
  if (result.isMeta) return result
  const data = contiguousData(self) as NumberArray
  const out = result.data as NumberArray
  const strides = contiguousStrides(self.sizes).slice(-positions.length)
  const plane = self.sizes.slice(-positions.length).reduce((n, size) => n * size, 1)
  const last = positions.at(-1)!
  const run = longestRun(last)
  let to = 0
  const copyLine = (from: number): void => {
    for (let i = 0; i < run.start; i++) out[to + i] = data[from + last[i]!]!
    const first = from + (last[run.start] ?? 0)
    out.set(data.subarray(first, first + run.length), to + run.start)
    for (let i = run.start + run.length; i < last.length; i++) out[to + i] = data[from + last[i]!]!
    to += last.length
  }
  const walk = (dim: number, from: number): void => {
    if (dim === positions.length - 1) copyLine(from)
    else for (const position of positions[dim]!) walk(dim + 1, from + position * strides[dim]!)
  }
  for (let start = 0; to < out.length && start < data.length; start += plane) walk(0, start)
  return result
}

function pad(self: Tensor, sizes: readonly number[], mode: string, value: number | null): Tensor {
  if (mode === 'constant') return padConstant(self, sizes, new Double(value ?? 0))
  if (value !== null && value !== 0)
    throw new OperatorArgumentError(`padding mode "${mode}" doesn't take in value argument`, {
      argument: 'value',
    })
  return padWithin(self, sizes, mode)
}

function within(kind: string, mode: string, dimensions: number): Operator {
  return defineOp(`aten::${kind}_pad${dimensions}d(Tensor self, int[${2 * dimensions}] padding) -> Tensor`, {
    reference: (args: Readonly<Record<string, unknown>>) =>
      padWithin(args['self'] as Tensor, args['padding'] as readonly number[], mode),
  })
}

/** `at::padding_mode` */
const modes = ['reflect', 'replicate', 'circular', 'constant']

export const paddingOperators: readonly Operator[] = [
  defineOp('aten::constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor', {
    reference: ({ self, pad: sizes, value }) => padConstant(self, sizes, value),
  }),
  defineOp('aten::pad(Tensor self, int[] pad, str mode="constant", float? value=None) -> Tensor', {
    reference: ({ self, pad: sizes, mode, value }) => pad(self, sizes, mode, value),
  }),
  defineOp('aten::_pad_enum(Tensor self, int[] pad, int mode, float? value=None) -> Tensor', {
    reference: ({ self, pad: sizes, mode, value }) => pad(self, sizes, modes[mode] ?? String(mode), value),
  }),
  defineOp('aten::_pad_circular(Tensor self, int[] pad) -> Tensor', {
    reference: ({ self, pad: sizes }) => padWithin(self, sizes, 'circular'),
  }),
  ...[1, 2, 3].map((dimensions) => within('reflection', 'reflect', dimensions)),
  ...[1, 2, 3].map((dimensions) => within('replication', 'replicate', dimensions)),
]
