import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import {
  floatsOf,
  forKernel,
  fromKernel,
  kernelDType,
  requireFloating,
  requireSameDType,
} from './float-compute.ts'
import { roundToEven } from './round-to-even.ts'
import { defineOp, type Operator } from './operator.ts'
import { cubic } from './resampling.ts'
import { allocateFor, floatData } from './tensor-access.ts'

const interpolations = ['bilinear', 'nearest', 'bicubic'] as const
const paddings = ['zeros', 'border', 'reflection'] as const

interface SamplingOptions {
  readonly interpolation: (typeof interpolations)[number]
  readonly padding: (typeof paddings)[number]
  readonly alignCorners: boolean
}

/** Up to four neighbouring pixels of one dimension; positions outside the image count as 0. */
interface Taps {
  readonly positions: number[]
  readonly weights: number[]
}

/** Pixel position of a grid coordinate in -1 … 1 (aten/src/ATen/native/GridSamplerUtils.h). */
function pixelPosition(coordinate: number, size: number, alignCorners: boolean): number {
  return alignCorners ? ((coordinate + 1) / 2) * (size - 1) : ((coordinate + 1) * size - 1) / 2
}

/** A position brought into the image the way the padding mode says. */
function brought(position: number, size: number, { padding, alignCorners }: SamplingOptions): number {
  if (padding === 'zeros') return position
  const clip = (x: number): number => Math.min(Math.max(x, 0), size - 1)
  if (padding === 'border') return clip(position)
  const [low, span] = alignCorners ? [0, size - 1] : [-0.5, size]
  if (span === 0) return 0
  const distance = Math.abs(position - low)
  const rest = distance % span
  const reflected = Math.floor(distance / span) % 2 === 0 ? rest + low : span - rest + low
  return clip(reflected)
}

function tapsOf(coordinate: number, size: number, options: SamplingOptions): Taps {
  const position = pixelPosition(coordinate, size, options.alignCorners)
  if (options.interpolation === 'bicubic') {
    const first = Math.floor(position)
    const offsets = [-1, 0, 1, 2]
    return {
      positions: offsets.map((offset) => brought(first + offset, size, options)),
      weights: offsets.map((offset) => cubic(position - first - offset, -0.75)),
    }
  }
  const inside = brought(position, size, options)
  if (options.interpolation === 'nearest') return { positions: [roundToEven(inside)], weights: [1] }
  const first = Math.floor(inside)
  return { positions: [first, first + 1], weights: [1 - (inside - first), inside - first] }
}

/** Offsets in a channel, and weights, of all pixels that one grid point sees. */
function pixelsOf(taps: readonly Taps[], sizes: readonly number[], strides: readonly number[]): Taps {
  let found: Taps = { positions: [0], weights: [1] }
  taps.forEach(({ positions, weights }, dim) => {
    const next: Taps = { positions: [], weights: [] }
    positions.forEach((position, tap) => {
      if (!(position >= 0 && position < sizes[dim]!)) return
      found.positions.forEach((offset, i) => {
        next.positions.push(offset + position * strides[dim]!)
        next.weights.push(found.weights[i]! * weights[tap]!)
      })
    })
    found = next
  })
  return found
}

/**
 * Samples N × C × spatial at the points of a grid, N × points × (x, y[, z]) in -1 … 1.
 *
 * @throws OperatorArgumentError when sizes, dtypes or modes do not fit
 */
function gridSample(input: Tensor, grid: Tensor, options: SamplingOptions): Tensor {
  checkOperands(input, grid, options)
  const [images, channels, ...spatial] = input.sizes as [number, number, ...number[]]
  const sizes = [images, channels, ...grid.sizes.slice(1, -1)]
  const result = allocateFor([input, grid], kernelDType(input.dtype), sizes)
  if (result.isMeta) return fromKernel(result, input.dtype)
  const source = forKernel(input)
  const points = floatData(grid)
  const [data, out] = [floatsOf(source), floatsOf(result)]
  const count = result.numel / Math.max(images * channels, 1)
  const rank = spatial.length
  for (let image = 0; image < images; image++)
    for (let point = 0; point < count; point++) {
      const at = (image * count + point) * rank
      // The grid names the last dimension first.
      const taps = spatial.map((size, dim) => tapsOf(points[at + rank - 1 - dim]!, size, options))
      const pixels = pixelsOf(taps, spatial, source.strides.slice(2))
      for (let channel = 0; channel < channels; channel++) {
        const first = source.storageOffset + image * source.strides[0]! + channel * source.strides[1]!
        out[(image * channels + channel) * count + point] = weightedSum(data, first, pixels)
      }
    }
  return fromKernel(result, input.dtype)
}

function weightedSum(data: Float32Array | Float64Array, first: number, { positions, weights }: Taps): number {
  let sum = 0
  for (let i = 0; i < positions.length; i++) sum += weights[i]! * data[first + positions[i]!]!
  return sum
}

function checkOperands(input: Tensor, grid: Tensor, { interpolation }: SamplingOptions): void {
  requireFloating(input, 'grid_sampler')
  requireSameDType(input, { grid })
  const rank = input.dim - 2
  const given = `but got input with sizes ${sizesText(input.sizes)} and grid with sizes ${sizesText(grid.sizes)}`
  const refuse = (found: string): never => {
    throw new OperatorArgumentError(`grid_sampler(): ${found}`)
  }
  if ((rank !== 2 && rank !== 3) || grid.dim !== input.dim)
    refuse(`expected 4D or 5D input and grid with the same number of dimensions, ${given}`)
  if (input.sizes[0] !== grid.sizes[0]) refuse(`expected grid and input to have same batch size, ${given}`)
  if (grid.sizes.at(-1) !== rank) refuse(`expected grid to have size ${rank} in last dimension, ${given}`)
  if (input.sizes.slice(2).some((size) => size === 0))
    refuse(`expected input to have non-empty spatial dimensions, ${given}`)
  if (rank === 3 && interpolation === 'bicubic') refuse('bicubic interpolation only supports 4D input')
}

function optionsOf(interpolation: number, padding: number, alignCorners: boolean): SamplingOptions {
  const mode = interpolations[interpolation]
  const border = paddings[padding]
  if (mode === undefined || border === undefined)
    throw new OperatorArgumentError(
      `grid_sampler(): unknown interpolation mode ${interpolation} or padding mode ${padding}`,
    )
  return { interpolation: mode, padding: border, alignCorners }
}

/** Evenly spaced over -1 … 1: the pixels' centres, or with `alignCorners` from corner to corner. */
function gridCoordinate(i: number, size: number, alignCorners: boolean): number {
  if (size <= 1) return 0
  return (-1 + (2 * i) / (size - 1)) * (alignCorners ? 1 : (size - 1) / size)
}

/** The grid that an affine map of the output's coordinates gives: N × H × W × 2 for a 2 × 3 matrix per image. */
function affineGrid(theta: Tensor, size: readonly number[], alignCorners: boolean): Tensor {
  requireFloating(theta, 'affine_grid_generator')
  const rank = size.length - 2
  const [images, ...spatial] = size.toSpliced(1, 1) as [number, ...number[]]
  if ((rank !== 2 && rank !== 3) || theta.sizes.join() !== [images, rank, rank + 1].join())
    throw new OperatorArgumentError(
      `expected a batch of affine matrices of shape ${images}x${rank}x${rank + 1} for size ${sizesText(size)}, ` +
        `but got ${theta.sizes.join('x')}`,
      { argument: 'theta' },
    )
  const result = allocateFor([theta], kernelDType(theta.dtype), [images, ...spatial, rank])
  if (result.isMeta) return fromKernel(result, theta.dtype)
  const [matrices, out] = [floatData(theta), floatsOf(result)]
  const points = spatial.reduce((n, extent) => n * extent, 1)
  for (let image = 0, to = 0; image < images; image++)
    for (let point = 0; point < points; point++) {
      const coordinates = coordinatesOf(point, spatial, alignCorners)
      for (let row = 0; row < rank; row++, to++) {
        const at = (image * rank + row) * (rank + 1)
        out[to] = coordinates.reduce((sum, x, i) => sum + x * matrices[at + i]!, matrices[at + rank]!)
      }
    }
  return fromKernel(result, theta.dtype)
}

/** x, y[, z] of a point counted row by row. */
function coordinatesOf(point: number, spatial: readonly number[], alignCorners: boolean): number[] {
  let rest = point
  return [...spatial].reverse().map((size) => {
    const i = rest % size
    rest = (rest - i) / size
    return gridCoordinate(i, size, alignCorners)
  })
}

const samplers = ['grid_sampler', 'grid_sampler_2d', 'grid_sampler_3d'].map((name) =>
  defineOp(
    `aten::${name as 'grid_sampler'}(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor`,
    {
      reference: ({ input, grid, interpolation_mode, padding_mode, align_corners }) =>
        gridSample(input, grid, optionsOf(interpolation_mode, padding_mode, align_corners)),
    },
  ),
)

export const gridSamplingOperators: readonly Operator[] = [
  ...samplers,
  defineOp('aten::affine_grid_generator(Tensor theta, int[] size, bool align_corners) -> Tensor', {
    reference: ({ theta, size, align_corners }) => affineGrid(theta, size, align_corners),
  }),
]
