import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, kernelDType } from './float-compute.ts'
import { allocate, floatData } from './tensor-access.ts'

type Floats = Float32Array | Float64Array

/** Mean and (biased) variance of what a normalisation looks at as one. */
export interface Moments {
  readonly mean: number
  readonly variance: number
}

/**
 * Moments of `runs` stretches of `length` neighbouring elements, the first at `start`, `step` apart. Two passes in
 * doubles: nothing cancels.
 */
export function moments(data: Floats, start: number, length: number, runs = 1, step = 0): Moments {
  const count = runs * length
  let sum = 0
  for (let run = 0, at = start; run < runs; run++, at += step)
    for (let i = at; i < at + length; i++) sum += data[i]!
  const mean = sum / count
  let squares = 0
  for (let run = 0, at = start; run < runs; run++, at += step)
    for (let i = at; i < at + length; i++) {
      const distance = data[i]! - mean
      squares += distance * distance
    }
  return { mean, variance: squares / count }
}

/** What becomes of each element: its stretch's shift and scale, then those of its parameters. */
export interface Affine {
  /** One per stretch; the element's distance from it is multiplied by `scale`. */
  readonly center: Float64Array
  readonly scale: Float64Array
  /** Added afterwards. */
  readonly shift: Float64Array
}

/**
 * (x - center) · scale + shift, stretch by stretch: element i belongs to stretch ⌊i / length⌋, whose numbers are
 * taken modulo the arrays' length. The result is row-major in the kernel's dtype, rounded once.
 */
export function scaleStretches(input: Tensor, length: number, { center, scale, shift }: Affine): Tensor {
  const data = floatData(input)
  const result = allocate(kernelDType(input.dtype), input.sizes)
  const out = floatsOf(result)
  for (let at = 0, stretch = 0; at < data.length; at += length, stretch++) {
    const i = stretch % center.length
    scaleStretch(out, data, at, length, center[i]!, scale[i]!, shift[i]!)
  }
  return result
}

function scaleStretch(
  out: Floats,
  data: Floats,
  start: number,
  length: number,
  center: number,
  scale: number,
  shift: number,
): void {
  for (let i = start; i < start + length; i++) out[i] = (data[i]! - center) * scale + shift
}

/** A parameter's elements as doubles; `missing` everywhere where there is none. */
export function parameter(tensor: Tensor | null, count: number, missing: number): Float64Array {
  return tensor === null ? new Float64Array(count).fill(missing) : Float64Array.from(floatData(tensor))
}

/** @throws OperatorArgumentError unless each parameter that is there has `count` elements */
export function requireCount(count: number, parameters: Readonly<Record<string, Tensor | null>>): void {
  for (const [argument, tensor] of Object.entries(parameters))
    if (tensor !== null && tensor.numel !== count)
      throw new OperatorArgumentError(`${argument} should contain ${count} elements not ${tensor.numel}`, {
        argument,
      })
}

/** A vector of the kernel's dtype for parameters and statistics of a tensor of `dtype`. */
export function vectorLike(values: Float64Array, dtype: Tensor['dtype']): Tensor {
  const vector = allocate(kernelDType(dtype), [values.length])
  floatsOf(vector).set(values)
  return vector
}

/** @throws OperatorArgumentError unless the input's last dimensions, and those of each parameter, are `shape` */
export function checkNormalizedShape(
  input: Tensor,
  shape: readonly number[],
  parameters: Readonly<Record<string, Tensor | null>>,
): void {
  if (shape.length === 0)
    throw new OperatorArgumentError('expected normalized_shape to be at least 1-dimensional', {
      argument: 'normalized_shape',
    })
  for (const [argument, tensor] of Object.entries(parameters))
    if (tensor !== null && tensor.sizes.join() !== shape.join())
      throw new OperatorArgumentError(
        `expected ${argument} to be of same shape as normalized_shape, but got ${argument} of shape ` +
          `${sizesText(tensor.sizes)} and normalized_shape = ${sizesText(shape)}`,
        { argument },
      )
  const last = input.sizes.slice(-shape.length)
  if (last.join() !== shape.join())
    throw new OperatorArgumentError(
      `given normalized_shape=${sizesText(shape)}, expected input with shape [*, ${shape.join(', ')}], ` +
        `but got input of size ${sizesText(input.sizes)}`,
      { argument: 'input' },
    )
}
