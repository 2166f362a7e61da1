import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { sizesText } from './convolution-geometry.ts'
import { rearrangingBy, rearrangingKernels } from './decomposition.ts'
import { OperatorArgumentError } from './errors.ts'
import { defineOp, type Operator } from './operator.ts'
import { transpose } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { cloneAs } from './tensor-access.ts'

function requirePixels(self: Tensor, factor: number, name: string): void {
  if (self.dim < 3)
    throw new OperatorArgumentError(
      `${name} expects input to have at least 3 dimensions, but got input with ${self.dim} dimension(s)`,
    )
  if (factor <= 0) throw new OperatorArgumentError(`${name} expects a positive factor, but got ${factor}`)
}

/** … × C·r² × H × W to … × C × H·r × W·r (Shi et al. 2016). */
function pixelShuffle(self: Tensor, factor: number, steps = rearrangingKernels): Tensor {
  requirePixels(self, factor, 'pixel_shuffle')
  const [channels, height, width] = self.sizes.slice(-3) as [number, number, number]
  if (channels % (factor * factor) !== 0)
    throw new OperatorArgumentError(
      `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, ` +
        `but input.size(-3)=${channels} is not divisible by ${factor * factor}`,
    )
  const lead = self.sizes.slice(0, -3)
  const fewer = channels / (factor * factor)
  const split = steps.reshape(self, [...lead, fewer, factor, factor, height, width])
  const n = lead.length
  const mixed = steps.permute(split, [...lead.keys(), n, n + 3, n + 1, n + 4, n + 2])
  return steps.reshape(mixed, [...lead, fewer, height * factor, width * factor])
}

/** The inverse: … × C × H·r × W·r to … × C·r² × H × W. */
function pixelUnshuffle(self: Tensor, factor: number, steps = rearrangingKernels): Tensor {
  requirePixels(self, factor, 'pixel_unshuffle')
  const [channels, height, width] = self.sizes.slice(-3) as [number, number, number]
  for (const [name, size, dim] of [
    ['height', height, -2],
    ['width', width, -1],
  ] as const)
    if (size % factor !== 0)
      throw new OperatorArgumentError(
        `pixel_unshuffle expects ${name} to be divisible by downscale_factor, ` +
          `but input.size(${dim})=${size} is not divisible by ${factor}`,
      )
  const lead = self.sizes.slice(0, -3)
  const split = steps.reshape(self, [...lead, channels, height / factor, factor, width / factor, factor])
  const n = lead.length
  const mixed = steps.permute(split, [...lead.keys(), n, n + 2, n + 4, n + 1, n + 3])
  return steps.reshape(mixed, [...lead, channels * factor * factor, height / factor, width / factor])
}

/** Exchanges the groups of channels with the channels in a group (Zhang et al. 2017, ShuffleNet). */
function channelShuffle(self: Tensor, groups: number): Tensor {
  if (self.dim <= 2)
    throw new OperatorArgumentError(
      `channel_shuffle expects input with > 2 dims, but got input with sizes ${sizesText(self.sizes)}`,
    )
  const [images, channels, ...rest] = self.sizes as [number, number]
  if (groups <= 0 || channels % groups !== 0)
    throw new OperatorArgumentError(
      `number of channels must be divisible by groups. Got ${channels} channels and ${groups} groups.`,
    )
  const split = reshape(self, [images, groups, channels / groups, ...rest])
  const mixed = transpose(split, 1, 2)
  const copy = cloneAs(mixed, self.dtype, contiguousStrides(mixed.sizes))
  return inOrderOf(self, copy.asStrided(self.sizes, contiguousStrides(self.sizes)))
}

export const shufflingOperators: readonly Operator[] = [
  defineOp('aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor', {
    reference: ({ self, upscale_factor }) => inOrderOf(self, pixelShuffle(self, upscale_factor)),
    decompose: ({ self, upscale_factor }, call) => pixelShuffle(self, upscale_factor, rearrangingBy(call)),
  }),
  defineOp('aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor', {
    reference: ({ self, downscale_factor }) => inOrderOf(self, pixelUnshuffle(self, downscale_factor)),
    decompose: ({ self, downscale_factor }, call) =>
      pixelUnshuffle(self, downscale_factor, rearrangingBy(call)),
  }),
  defineOp('aten::channel_shuffle(Tensor self, int groups) -> Tensor', {
    reference: ({ self, groups }) => channelShuffle(self, groups),
  }),
  defineOp('aten::native_channel_shuffle(Tensor self, int groups) -> Tensor', {
    reference: ({ self, groups }) => channelShuffle(self, groups),
  }),
]
