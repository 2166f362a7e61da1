import type { Tensor } from '../tensor/tensor.ts'
import { sizesText, type ConvolutionOptions } from './convolution-geometry.ts'
import { convolve } from './convolve.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator, type OperatorTraits } from './operator.ts'
import { permute } from './permuting.ts'
import { contiguous } from './tensor-access.ts'

const traits: OperatorTraits = { freezable: ['weight', 'bias'], role: 'convolution' }

interface ForwardArguments {
  readonly input: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly stride: readonly number[]
  readonly padding: readonly number[] | string
  readonly dilation: readonly number[]
  readonly groups: number
}

/** `aten::conv1d` to `aten::conv3d`: with a batch dimension or without. */
function forward(dimensions: number, args: ForwardArguments): Tensor {
  requireRank(args.input, dimensions, `conv${dimensions}d`)
  const { input, weight, bias, stride, dilation, groups } = args
  const padding = typeof args.padding === 'string' ? paddingMode(args.padding) : args.padding
  return convolve(input, weight, bias, {
    stride,
    padding,
    dilation,
    groups,
    transposed: false,
    outputPadding: [0],
  })
}

interface TransposedArguments {
  readonly input: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly output_padding: readonly number[]
  readonly groups: number
  readonly dilation: readonly number[]
}

function transposed(dimensions: number, args: TransposedArguments): Tensor {
  requireRank(args.input, dimensions, `conv_transpose${dimensions}d`)
  const { input, weight, bias, ...options } = args
  return convolve(input, weight, bias, { ...options, transposed: true, outputPadding: args.output_padding })
}

function requireRank(input: Tensor, dimensions: number, name: string): void {
  if (input.dim !== dimensions + 1 && input.dim !== dimensions + 2)
    throw new OperatorArgumentError(
      `expected ${dimensions + 1}D (unbatched) or ${dimensions + 2}D (batched) input to ${name}, ` +
        `but got input of size: ${sizesText(input.sizes)}`,
      { argument: 'input' },
    )
}

function paddingMode(padding: string): 'same' | 'valid' {
  if (padding === 'same' || padding === 'valid') return padding
  throw new OperatorArgumentError(
    `invalid padding string: '${padding}'`,
    { argument: 'padding' },
    "one of 'same', 'valid'",
  )
}

interface GeneralArguments extends Omit<ConvolutionOptions, 'outputPadding'> {
  readonly input: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly output_padding: readonly number[]
}

/** `aten::convolution`: the dimensions are the weight's, a batch dimension is required. */
function general(args: GeneralArguments): Tensor {
  const { input, weight, bias, output_padding: outputPadding } = args
  if (input.dim !== weight.dim)
    throw new OperatorArgumentError(
      `expected ${weight.dim}-dimensional input for ${weight.dim}-dimensional weight ${sizesText(weight.sizes)}, ` +
        `but got ${input.dim}-dimensional input of size ${sizesText(input.sizes)} instead`,
      { argument: 'input' },
    )
  return convolve(input, weight, bias, { ...args, outputPadding })
}

const forwardOperators = [
  defineOp(
    'aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=[1], int[1] padding=[0], int[1] dilation=[1], int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(1, args) },
  ),
  defineOp(
    'aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(2, args) },
  ),
  defineOp(
    'aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] dilation=1, int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(3, args) },
  ),
  defineOp(
    'aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=[1], str padding="valid", int[1] dilation=[1], int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(1, args) },
  ),
  defineOp(
    'aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, str padding="valid", int[2] dilation=1, int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(2, args) },
  ),
  defineOp(
    'aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, str padding="valid", int[3] dilation=1, int groups=1) -> Tensor',
    { ...traits, reference: (args) => forward(3, args) },
  ),
]

const transposedOperators = [
  defineOp(
    'aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=[1], int[1] padding=[0], int[1] output_padding=[0], int groups=1, int[1] dilation=[1]) -> Tensor',
    { ...traits, reference: (args) => transposed(1, args) },
  ),
  defineOp(
    'aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] output_padding=0, int groups=1, int[2] dilation=1) -> Tensor',
    { ...traits, reference: (args) => transposed(2, args) },
  ),
  defineOp(
    'aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] output_padding=0, int groups=1, int[3] dilation=1) -> Tensor',
    { ...traits, reference: (args) => transposed(3, args) },
  ),
]

const generalOperators = [
  defineOp(
    'aten::convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups) -> Tensor',
    { ...traits, reference: general },
  ),
  defineOp(
    'aten::_convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor',
    { ...traits, reference: general },
  ),
  defineOp(
    'aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups, bool benchmark, bool deterministic, bool cudnn_enabled) -> Tensor',
    { ...traits, reference: general },
  ),
  defineOp(
    'aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, int[] stride, str padding, int[] dilation, int groups) -> Tensor',
    { ...traits, reference: (args) => forward(args.weight.dim - 2, args) },
  ),
]

/**
 * Steps × batch × channels by width × in × out: `conv1d` with its dimensions in another order.
 *
 * @throws OperatorArgumentError when sizes do not fit
 */
function stepsFirst(self: Tensor, weight: Tensor, bias: Tensor, padding: number): Tensor {
  if (self.dim !== 3 || weight.dim !== 3 || bias.dim !== 1)
    throw new OperatorArgumentError(
      'input and weight must have 3 dims: time, batch, in_channel and kernel_width, in_channels, out_channels, ' +
        `bias one; but their sizes are ${[self, weight, bias].map(({ sizes }) => sizesText(sizes)).join(', ')}`,
    )
  const output = convolve(permute(self, [1, 2, 0]), permute(weight, [2, 1, 0]), bias, {
    stride: [1],
    padding: [padding],
    dilation: [1],
    groups: 1,
    transposed: false,
    outputPadding: [0],
  })
  return contiguous(permute(output, [2, 0, 1]))
}

const otherOperators = [
  defineOp('aten::conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor', {
    freezable: ['weight', 'bias'],
    reference: ({ self, weight, bias, pad }) => stepsFirst(self, weight, bias, pad),
  }),
  defineOp(
    'aten::mkldnn_convolution(Tensor self, Tensor weight, Tensor? bias, int[] padding, int[] stride, int[] dilation, int groups) -> Tensor',
    {
      freezable: ['weight', 'bias'],
      reference: ({ self, ...args }) =>
        general({ ...args, input: self, transposed: false, output_padding: [0] }),
    },
  ),
]

export const convolutionOperators: readonly Operator[] = [
  ...forwardOperators,
  ...transposedOperators,
  ...generalOperators,
  ...otherOperators,
]
