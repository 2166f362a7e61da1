import type { Tensor } from '../tensor/tensor.ts'
import { perDimension, sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, floatData } from './tensor-access.ts'

interface BlockArguments {
  readonly kernel_size: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: readonly number[]
  readonly stride: readonly number[]
}

/** The sliding blocks of an image: how many there are and which pixels they cover. */
interface Blocks {
  readonly image: readonly number[]
  readonly kernel: readonly number[]
  readonly count: readonly number[]
  /** The pixel of a tap in a block, or one outside the image. */
  readonly pixel: (dim: number, tap: number, block: number) => number
}

function blocksOf(image: readonly number[], args: BlockArguments): Blocks {
  const kernel = perDimension(args.kernel_size, 2, 'kernel_size')
  const dilation = perDimension(args.dilation, 2, 'dilation')
  const padding = perDimension(args.padding, 2, 'padding')
  const stride = perDimension(args.stride, 2, 'stride')
  if ([...kernel, ...dilation, ...stride].some((n) => n <= 0) || padding.some((n) => n < 0))
    throw new OperatorArgumentError(
      `kernel_size ${sizesText(kernel)}, dilation ${sizesText(dilation)} and stride ${sizesText(stride)} ` +
        `must be positive, padding ${sizesText(padding)} not negative`,
    )
  const count = image.map(
    (size, i) => Math.floor((size + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1,
  )
  if (count.some((n) => n < 1))
    throw new OperatorArgumentError(
      `given spatial size ${sizesText(image)}, kernel_size=${sizesText(kernel)}, dilation=${sizesText(dilation)}, ` +
        `padding=${sizesText(padding)}, calculated shape of the array of sliding blocks as ${sizesText(count)}, ` +
        'but its components must be at least one',
    )
  const pixel = (dim: number, tap: number, block: number): number =>
    block * stride[dim]! + tap * dilation[dim]! - padding[dim]!
  return { image, kernel, count, pixel }
}

/** Visits every element of the columns of one channel, with the pixel behind it where there is one. */
function forEachElement(
  { image, kernel, count, pixel }: Blocks,
  visit: (element: number, pixel: number) => void,
): void {
  const [height, width] = image as [number, number]
  let element = 0
  for (let kh = 0; kh < kernel[0]!; kh++)
    for (let kw = 0; kw < kernel[1]!; kw++)
      for (let h = 0; h < count[0]!; h++) {
        const y = pixel(0, kh, h)
        for (let w = 0; w < count[1]!; w++, element++) {
          const x = pixel(1, kw, w)
          if (y >= 0 && y < height && x >= 0 && x < width) visit(element, y * width + x)
        }
      }
}

function elementsPerChannel({ kernel, count }: Blocks): number {
  return kernel[0]! * kernel[1]! * count[0]! * count[1]!
}

/** The blocks of an image as columns: N × C × H × W to N × C·taps × blocks (`torch.nn.functional.unfold`). */
function unfold(self: Tensor, args: BlockArguments): Tensor {
  requireFloating(self, 'im2col')
  if (self.dim !== 3 && self.dim !== 4)
    throw new OperatorArgumentError(
      `expected 3D or 4D (batch mode) tensor for input, but got: ${sizesText(self.sizes)}`,
    )
  const blocks = blocksOf(self.sizes.slice(-2), args)
  const channels = self.sizes.at(-3)!
  const taps = blocks.kernel[0]! * blocks.kernel[1]!
  const columns = blocks.count[0]! * blocks.count[1]!
  const result = allocateFor([self], kernelDType(self.dtype), [
    ...self.sizes.slice(0, -3),
    channels * taps,
    columns,
  ])
  if (result.isMeta) return fromKernel(result, self.dtype)
  const [data, out] = [floatData(self), floatsOf(result)]
  const pixels = blocks.image[0]! * blocks.image[1]!
  const elements = elementsPerChannel(blocks)
  for (let from = 0, to = 0; to < out.length; from += pixels, to += elements)
    forEachElement(blocks, (element, pixel) => (out[to + element] = data[from + pixel]!))
  return fromKernel(result, self.dtype)
}

/** Adds blocks up where they overlap: N × C·taps × blocks to N × C × H × W (`torch.nn.functional.fold`). */
function fold(self: Tensor, size: readonly number[], args: BlockArguments): Tensor {
  requireFloating(self, 'col2im')
  if (self.dim !== 2 && self.dim !== 3)
    throw new OperatorArgumentError(
      `expected 2D or 3D (batch mode) tensor for input, but got: ${sizesText(self.sizes)}`,
    )
  const blocks = blocksOf(perDimension(size, 2, 'output_size'), args)
  const [rows, columns] = self.sizes.slice(-2) as [number, number]
  const taps = blocks.kernel[0]! * blocks.kernel[1]!
  const expected = blocks.count[0]! * blocks.count[1]!
  if (rows % taps !== 0 || columns !== expected)
    throw new OperatorArgumentError(
      `expected size of input's dimensions to be a multiple of ${taps} and ${expected}, ` +
        `the product of the kernel and the number of sliding blocks, but got ${rows} and ${columns}`,
    )
  const sums = allocateFor([self], 'float64', [...self.sizes.slice(0, -2), rows / taps, ...blocks.image])
  if (sums.isMeta) return fromKernel(sums, self.dtype)
  const [data, out] = [floatData(self), floatsOf(sums)]
  const pixels = blocks.image[0]! * blocks.image[1]!
  const elements = elementsPerChannel(blocks)
  for (let from = 0, to = 0; to < out.length; from += elements, to += pixels)
    forEachElement(blocks, (element, pixel) => (out[to + pixel]! += data[from + element]!))
  return fromKernel(sums, self.dtype)
}

export const unfoldingOperators: readonly Operator[] = [
  defineOp(
    'aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor',
    { reference: (args) => unfold(args.self, args) },
  ),
  defineOp(
    'aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor',
    { reference: (args) => fold(args.self, args.output_size, args) },
  ),
]
