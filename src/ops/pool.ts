import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { floatsOf, fromKernel, kernelDType } from './float-compute.ts'
import type { Windows } from './pooling-windows.ts'
import { allocateFor, floatData } from './tensor-access.ts'

type Floats = Float32Array | Float64Array

/** One plane (image and channel) of a pooling with three spatial dimensions. */
interface Plane {
  readonly data: Floats
  /** Of the plane's first element. */
  readonly offset: number
  readonly windows: readonly [Windows, Windows, Windows]
}

/** Called for each window with its three output positions and the number of the output element. */
type WindowVisitor = (d: number, h: number, w: number, output: number) => void

function forEachWindow(windows: Plane['windows'], first: number, visit: WindowVisitor): void {
  const [depths, heights, widths] = windows
  let output = first
  for (let d = 0; d < depths.start.length; d++)
    for (let h = 0; h < heights.start.length; h++)
      for (let w = 0; w < widths.start.length; w++) visit(d, h, w, output++)
}

/** The sizes of the result: the windows' numbers take the place of the last dimensions. */
function pooledSizes(input: Tensor, windows: readonly Windows[]): number[] {
  return [...input.sizes.slice(0, input.dim - windows.length), ...windows.map(({ start }) => start.length)]
}

const wholeDimension: Windows = {
  start: Int32Array.of(0),
  end: Int32Array.of(1),
  step: 1,
  counted: Int32Array.of(1),
  input: 1,
}

function asThree(windows: readonly Windows[]): Plane['windows'] {
  return [wholeDimension, wholeDimension, ...windows].slice(-3) as unknown as Plane['windows']
}

function forEachPlane(
  input: Tensor,
  windows: readonly Windows[],
  output: Tensor,
  pool: (plane: Plane, firstOutput: number) => void,
): void {
  const data = floatData(input)
  const three = asThree(windows)
  const planeSize = windows.reduce((n, one) => n * one.input, 1)
  const outputSize = windows.reduce((n, { start }) => n * start.length, 1)
  if (output.numel === 0) return
  for (let offset = 0, first = 0; offset < data.length; offset += planeSize, first += outputSize)
    pool({ data, offset, windows: three }, first)
}

function finished(input: Tensor, result: Tensor, dtype: DType, keepOrder: boolean): Tensor {
  return keepOrder ? inOrderOf(input, result, dtype) : fromKernel(result, dtype)
}

export interface Maxima {
  readonly values: Tensor
  /** Where in its plane each maximum was found, counted row by row. */
  readonly indices: Tensor
}

/** The largest element of each window, NaN where there is one; of equals the first. */
export function maximumPool(input: Tensor, windows: readonly Windows[], keepOrder = true): Maxima {
  const sizes = pooledSizes(input, windows)
  const values = allocateFor([input], kernelDType(input.dtype), sizes)
  const indices = allocateFor([input], 'int64', sizes)
  if (values.isMeta)
    return {
      values: finished(input, values, input.dtype, keepOrder),
      indices: finished(input, indices, 'int64', keepOrder),
    }
  const found = new Float64Array(indices.numel)
  const out = floatsOf(values)
  forEachPlane(input, windows, values, (plane, first) =>
    forEachWindow(plane.windows, first, (d, h, w, output) => {
      const at = largestIn(plane, d, h, w)
      found[output] = at
      out[output] = plane.data[plane.offset + at]!
    }),
  )
  const places = indices.data as BigInt64Array
  for (let i = 0; i < found.length; i++) places[i] = BigInt(found[i]!)
  return {
    values: finished(input, values, input.dtype, keepOrder),
    indices: finished(input, indices, 'int64', keepOrder),
  }
}

function largestIn({ data, offset, windows }: Plane, d: number, h: number, w: number): number {
  const [depths, heights, widths] = windows
  const [height, width] = [heights.input, widths.input]
  let best = (depths.start[d]! * height + heights.start[h]!) * width + widths.start[w]!
  let max = -Infinity
  for (let z = depths.start[d]!; z < depths.end[d]!; z += depths.step)
    for (let y = heights.start[h]!; y < heights.end[h]!; y += heights.step)
      for (let x = widths.start[w]!; x < widths.end[w]!; x += widths.step) {
        const at = (z * height + y) * width + x
        const value = data[offset + at]!
        if (value > max || value !== value) {
          max = value
          best = at
        }
      }
  return best
}

/** What the sum of a window is divided by. */
export type Divisor = 'inside' | 'counted' | number

/** The average of each window over the elements inside the input, over the padding too, or by a given divisor. */
export function averagePool(
  input: Tensor,
  windows: readonly Windows[],
  divisor: Divisor,
  keepOrder = true,
): Tensor {
  const values = allocateFor([input], kernelDType(input.dtype), pooledSizes(input, windows))
  if (values.isMeta) return finished(input, values, input.dtype, keepOrder)
  const out = floatsOf(values)
  forEachPlane(input, windows, values, (plane, first) =>
    forEachWindow(plane.windows, first, (d, h, w, output) => {
      out[output] = sumOf(plane, d, h, w) / divisorOf(plane.windows, divisor, [d, h, w])
    }),
  )
  return finished(input, values, input.dtype, keepOrder)
}

function divisorOf(windows: Plane['windows'], divisor: Divisor, at: readonly number[]): number {
  if (typeof divisor === 'number') return divisor
  let count = 1
  for (let i = 0; i < 3; i++) {
    const { start, end, counted } = windows[i]!
    count *= divisor === 'counted' ? counted[at[i]!]! : end[at[i]!]! - start[at[i]!]!
  }
  // A window wholly in the padding sums to 0, whatever it is divided by.
  return count > 0 ? count : 1
}

function sumOf({ data, offset, windows }: Plane, d: number, h: number, w: number): number {
  const [depths, heights, widths] = windows
  let sum = 0
  for (let z = depths.start[d]!; z < depths.end[d]!; z++)
    for (let y = heights.start[h]!; y < heights.end[h]!; y++) {
      const line = offset + (z * heights.input + y) * widths.input
      for (let x = widths.start[w]!; x < widths.end[w]!; x++) sum += data[line + x]!
    }
  return sum
}
