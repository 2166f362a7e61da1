import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating, requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, floatData } from './tensor-access.ts'

interface Pooling {
  readonly scale: number
  readonly height: number
  readonly width: number
  /** Samples per bin and dimension; as many as a bin has pixels where not positive. */
  readonly sampling: number
  readonly aligned: boolean
}

/** What each pixel of one dimension, from `first` on, counts in one bin. */
interface BinWeights {
  readonly first: number
  readonly weights: Float64Array
}

interface Axis {
  readonly bins: readonly BinWeights[]
  readonly samples: number
}

/**
 * The mean of bilinear samples in each of height × width bins of a region (torchvision/csrc/ops/cpu/
 * roi_align_kernel.cpp; He et al. 2017, Mask R-CNN). Input is N × C × H × W, regions K × 5 (image, x1, y1, x2, y2).
 * Positions are found in the input's precision; weights of a bin are separable, so that a bin costs its pixels and
 * not its samples.
 *
 * @throws OperatorArgumentError for other shapes, unlike dtypes, or a region of an image that there is not
 */
export function roiAlign(input: Tensor, regions: Tensor, pooling: Pooling): Tensor {
  checkRegions(input, regions, pooling)
  const [images, channels, height, width] = input.sizes as [number, number, number, number]
  const { height: rows, width: columns } = pooling
  const count = regions.sizes[0]!
  const round = input.dtype === 'float64' ? (x: number): number => x : Math.fround
  const sizes = [count, channels, rows, columns]
  const result = allocateFor([input, regions], kernelDType(input.dtype), sizes)
  if (result.isMeta) return fromKernel(result, input.dtype)
  const source = floatData(input)
  const corners = floatData(regions)
  const out = floatsOf(result)
  for (let region = 0; region < count; region++) {
    const image = Math.trunc(corners[5 * region]!)
    if (!(image >= 0 && image < images))
      throw new OperatorArgumentError(`region ${region} is of image ${image}, but there are ${images}`, {
        argument: 'rois',
      })
    const along = (axis: 0 | 1, bins: number, size: number): Axis => {
      const at = 5 * region + 1 + axis
      return binAxis(corners[at]!, corners[at + 2]!, bins, size, pooling, round)
    }
    const y = along(1, rows, height)
    const x = along(0, columns, width)
    const samples = Math.max(y.samples * x.samples, 1)
    for (let channel = 0; channel < channels; channel++) {
      const plane = (image * channels + channel) * height * width
      const to = (region * channels + channel) * rows * columns
      poolPlane(out, to, source, plane, width, y.bins, x.bins, samples)
    }
  }
  return fromKernel(result, input.dtype)
}

/** More samples than any image has pixels across tell of a mistake, and would take for ever. */
const mostSamples = 1 << 16

function checkRegions(input: Tensor, regions: Tensor, { height, width, sampling }: Pooling): void {
  if (input.dim !== 4)
    throw new OperatorArgumentError(`roi_align: expected a 4D input, got size ${sizesText(input.sizes)}`, {
      argument: 'input',
    })
  if (regions.dim !== 2 || regions.sizes[1] !== 5)
    throw new OperatorArgumentError(`rois must have shape as Tensor[K, 5], got ${sizesText(regions.sizes)}`, {
      argument: 'rois',
    })
  if (height <= 0 || width <= 0)
    throw new OperatorArgumentError(`roi_align: pooled size must be positive, got ${height} x ${width}`)
  if (sampling > mostSamples)
    throw new OperatorArgumentError(`roi_align: sampling_ratio is at most ${mostSamples}, got ${sampling}`, {
      argument: 'sampling_ratio',
    })
  requireSameDType(input, { rois: regions })
  requireFloating(input, 'roi_align')
}

function binAxis(
  from: number,
  to: number,
  bins: number,
  size: number,
  { scale, aligned, sampling }: Pooling,
  round: (x: number) => number,
): Axis {
  const factor = round(scale)
  const offset = aligned ? 0.5 : 0
  const start = round(round(from * factor) - offset)
  const extent = round(round(round(to * factor) - offset) - start)
  const length = aligned || extent >= 1 ? extent : 1
  const bin = round(length / bins)
  const wanted = sampling > 0 ? sampling : Math.ceil(bin)
  const samples = wanted > 0 && Number.isFinite(wanted) ? wanted : 0
  return {
    samples,
    bins: Array.from({ length: bins }, (_, i) =>
      binWeights(round(start + round(i * bin)), bin, samples, size, round),
    ),
  }
}

function binWeights(
  start: number,
  bin: number,
  samples: number,
  size: number,
  round: (x: number) => number,
): BinWeights {
  const dense = new Map<number, number>()
  const add = (pixel: number, weight: number): void => {
    dense.set(pixel, (dense.get(pixel) ?? 0) + weight)
  }
  const [firstSample, endSample] = samplesInside(start, bin / samples, samples, size)
  for (let i = firstSample; i < endSample; i++) {
    const position = round(start + round(round(round(i + 0.5) * bin) / samples))
    if (!(position >= -1 && position <= size)) continue
    const inside = Math.max(position, 0)
    const low = Math.min(Math.trunc(inside), size - 1)
    const share = low === size - 1 ? 0 : round(inside - low)
    add(low, round(1 - share))
    if (share !== 0) add(low + 1, share)
  }
  const first = dense.size === 0 ? 0 : Math.min(...dense.keys())
  const end = dense.size === 0 ? 0 : Math.max(...dense.keys()) + 1
  return { first, weights: Float64Array.from({ length: end - first }, (_, i) => dense.get(first + i) ?? 0) }
}

/** The samples that may lie in the image, so that a region far larger than it takes no longer. */
function samplesInside(start: number, step: number, samples: number, size: number): [number, number] {
  if (step <= 0) return [0, samples]
  const first = Math.floor((-1 - start) / step) - 2
  const end = Math.ceil((size - start) / step) + 2
  return [Math.max(first, 0), Math.min(end, samples)]
}

function poolPlane(
  out: Float32Array | Float64Array,
  to: number,
  source: Float32Array | Float64Array,
  plane: number,
  width: number,
  rows: readonly BinWeights[],
  columns: readonly BinWeights[],
  samples: number,
): void {
  let at = to
  for (const row of rows)
    for (const column of columns) {
      let sum = 0
      for (let y = 0; y < row.weights.length; y++) {
        const line = plane + (row.first + y) * width + column.first
        let lineSum = 0
        for (let x = 0; x < column.weights.length; x++) lineSum += column.weights[x]! * source[line + x]!
        sum += row.weights[y]! * lineSum
      }
      out[at++] = sum / samples
    }
}

export const roiAlignOperators: readonly Operator[] = [
  defineOp(
    'torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, int sampling_ratio, bool aligned) -> Tensor',
    {
      reference: ({ input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned }) =>
        roiAlign(input, rois, {
          scale: spatial_scale,
          height: pooled_height,
          width: pooled_width,
          sampling: sampling_ratio,
          aligned,
        }),
    },
  ),
]
