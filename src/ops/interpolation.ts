import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { perDimension, sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel, requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import {
  antialiasTable,
  cubic,
  cubicTable,
  linearTable,
  nearestTable,
  resample,
  triangle,
  type Resampling,
  type ResamplingTable,
} from './resampling.ts'
import { checkBytes } from './tensor-access.ts'

/** One way to interpolate; what it does with a dimension, and what libtorch makes of types and layouts. */
interface Mode {
  readonly name: string
  readonly table: (resampling: Resampling) => ResamplingTable
  readonly nearest: boolean
  readonly alignCorners: boolean
  readonly keepsOrder: boolean
  /** Of the operator's name, behind the number of dimensions. */
  readonly suffix?: string
}

const nearest = (name: string, exact: boolean): Mode => ({
  name,
  table: (resampling) => nearestTable(resampling, exact),
  nearest: true,
  alignCorners: false,
  keepsOrder: true,
})

const smooth = (name: string, table: Mode['table'], keepsOrder = true): Mode => ({
  name,
  table,
  nearest: false,
  alignCorners: true,
  keepsOrder,
})

const antialiased = (name: string, radius: number, filter: (distance: number) => number): Mode => ({
  ...smooth(name, (resampling) => antialiasTable(resampling, radius, filter), radius === 1),
  suffix: '_aa',
})

interface Target {
  readonly size: readonly number[]
  readonly factors: readonly (number | null)[]
}

/** Output sizes of the overloads that take either sizes or factors. */
function targetOf(
  input: Tensor,
  spatial: number,
  size: readonly number[] | null,
  factors: readonly number[] | null,
): Target {
  if ((size === null) === (factors === null))
    throw new OperatorArgumentError('must specify exactly one of output_size and scale_factors')
  if (size !== null)
    return { size: perDimension(size, spatial, 'output_size'), factors: size.map(() => null) }
  const each = perDimension(factors!, spatial, 'scale_factors')
  return {
    size: input.sizes.slice(2).map((extent, i) => Math.trunc(extent * (each[i] ?? 1))),
    factors: each,
  }
}

/**
 * Interpolates N × C × spatial to a target size (aten/src/ATen/native/UpSample.h). Pixel positions are found in the
 * tensor's own precision, as libtorch finds them; sums are doubles.
 *
 * @throws OperatorArgumentError for a wrong rank, an empty image or dtype
 */
function interpolate(
  input: Tensor,
  spatial: number,
  mode: Mode,
  { size, factors }: Target,
  align: boolean,
): Tensor {
  checkInput(input, spatial, mode, size)
  const sizes = [...input.sizes.slice(0, 2), ...size]
  checkBytes(8 * numelOf(sizes), sizes)
  const round = mode.nearest || input.dtype !== 'float64' ? Math.fround : (x: number) => x
  const tables = input.sizes.slice(2).map((extent, i) =>
    mode.table({
      input: extent,
      output: size[i]!,
      alignCorners: align,
      factor: factors[i] ?? null,
      round,
    }),
  )
  const result = resample(input, tables)
  return mode.keepsOrder ? inOrderOf(input, result) : fromKernel(result, input.dtype)
}

function checkInput(input: Tensor, spatial: number, mode: Mode, size: readonly number[]): void {
  if (input.dim !== spatial + 2)
    throw new OperatorArgumentError(
      `${mode.name}${spatial}d: expected a ${spatial + 2}D tensor as input, but got size ${sizesText(input.sizes)}`,
      { argument: 'input' },
    )
  if (!mode.nearest || input.dtype !== 'uint8') requireFloating(input, `${mode.name}${spatial}d`)
  if (size.some((extent) => extent <= 0) || input.sizes.slice(2).some((extent) => extent <= 0))
    throw new OperatorArgumentError(
      `input and output sizes should be greater than 0, but got input size ${sizesText(input.sizes.slice(2))} ` +
        `and output size ${sizesText(size)}`,
    )
  if (input.sizes[1] === 0)
    throw new OperatorArgumentError(`${mode.name}${spatial}d: expected a non-empty tensor as input`)
}

const dimensionNames = ['d', 'h', 'w']

type Arguments = Readonly<Record<string, unknown>>

/** Both overloads of an operator: sizes with a factor per dimension, and sizes or factors. */
function family(spatial: number, mode: Mode): Operator[] {
  const name = `aten::${mode.name}${spatial}d${mode.suffix ?? ''}`
  const scales = spatial === 1 ? ['scales'] : dimensionNames.slice(-spatial).map((dim) => `scales_${dim}`)
  const align = mode.alignCorners ? 'bool align_corners, ' : ''
  const scaleText = scales.map((scale) => `float? ${scale}=None`).join(', ')
  const run = (args: Arguments, input: unknown, target: (input: Tensor) => Target): Tensor =>
    interpolate(input as Tensor, spatial, mode, target(input as Tensor), args['align_corners'] === true)
  return [
    defineOp(`${name}(Tensor self, SymInt[${spatial}] output_size, ${align}${scaleText}) -> Tensor`, {
      reference: (args: Arguments) =>
        run(args, args['self'], () => ({
          size: perDimension(args['output_size'] as readonly number[], spatial, 'output_size'),
          factors: scales.map((scale) => args[scale] as number | null),
        })),
    }),
    defineOp(`${name}.vec(Tensor input, SymInt[]? output_size, ${align}float[]? scale_factors) -> Tensor`, {
      reference: (args: Arguments) =>
        run(args, args['input'], (input) =>
          targetOf(
            input,
            spatial,
            args['output_size'] as readonly number[] | null,
            args['scale_factors'] as readonly number[] | null,
          ),
        ),
    }),
  ]
}

const upsampleNearest = nearest('upsample_nearest', false)
const upsampleNearestExact = nearest('_upsample_nearest_exact', true)

export const interpolationOperators: readonly Operator[] = [
  ...[1, 2, 3].flatMap((spatial) => [
    ...family(spatial, upsampleNearest),
    ...family(spatial, upsampleNearestExact),
  ]),
  ...family(1, smooth('upsample_linear', linearTable)),
  ...family(2, smooth('upsample_bilinear', linearTable)),
  ...family(3, smooth('upsample_trilinear', linearTable)),
  ...family(2, smooth('upsample_bicubic', cubicTable, false)),
  ...family(2, antialiased('_upsample_bilinear', 1, triangle)),
  ...family(
    2,
    antialiased('_upsample_bicubic', 2, (distance) => cubic(distance, -0.5)),
  ),
]
