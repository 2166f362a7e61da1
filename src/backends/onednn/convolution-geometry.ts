import type { CallArguments } from './call-arguments.ts'
import type { ConvolutionOperation } from './convolution-tuner.ts'

/** Kinds of nodes that are convolutions. */
export const convolutionKinds = [
  'aten::conv1d',
  'aten::conv2d',
  'aten::conv3d',
  'aten::_convolution',
  'aten::convolution',
  'aten::conv_transpose1d',
  'aten::conv_transpose2d',
  'aten::conv_transpose3d',
]

/** What a convolution's arguments say, in the library's terms. */
export type Geometry = Pick<
  ConvolutionOperation,
  'transposed' | 'strides' | 'dilation' | 'paddingBegin' | 'paddingEnd'
> & { readonly groups: number }

/** `(g, o, i, …)`; a transposed convolution's weights come as `i, o`. */
export function weightSizes(
  sizes: readonly number[],
  groups: number,
  transposed: boolean,
): readonly number[] {
  const [first = 1, second = 1, ...kernel] = sizes
  const [outputs, inputs] = transposed ? [second, first / groups] : [first / groups, second]
  return groups === 1 ? [outputs, inputs, ...kernel] : [groups, outputs, inputs, ...kernel]
}

/** Undefined where arguments are not constant. @param input sizes of the input, @param weight of the weight */
export function geometryOf(
  args: CallArguments,
  input: readonly number[],
  weight: readonly number[],
): Geometry | undefined {
  const spatial = input.length - 2
  const transposed = args.node.kind.includes('transpose') || args.number('transposed') === 1
  const strides = args.numbers('stride', spatial)
  const dilation = args.numbers('dilation', spatial)
  const groups = args.number('groups')
  const padding = paddingOf(args, weight.slice(2), dilation ?? [])
  if (!strides || !dilation || groups === undefined || !padding) return undefined
  const extra = transposed ? (args.numbers('output_padding', spatial) ?? []) : []
  return {
    transposed,
    groups,
    strides: strides.length === 0 ? new Array<number>(spatial).fill(1) : strides,
    dilation,
    paddingBegin: padding.begin,
    // What a window reaches beyond the input, not what was asked for: the library checks the sum.
    paddingEnd: transposed ? padding.end.map((size, i) => size - (extra[i] ?? 0)) : padding.end,
  }
}

function paddingOf(
  args: CallArguments,
  kernel: readonly number[],
  dilation: readonly number[],
): { readonly begin: readonly number[]; readonly end: readonly number[] } | undefined {
  const word = args.text('padding')
  if (word === 'valid') return { begin: kernel.map(() => 0), end: kernel.map(() => 0) }
  if (word === 'same') {
    const total = kernel.map((size, i) => dilation[i]! * (size - 1))
    const begin = total.map((size) => Math.floor(size / 2))
    return { begin, end: total.map((size, i) => size - begin[i]!) }
  }
  const numbers = args.numbers('padding', kernel.length)
  return numbers && { begin: numbers, end: numbers }
}
