import { numelOf, type Tensor } from '../tensor/tensor.ts'
import { inOrderOf } from './channels-last.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { checkPoolingInput } from './pooling-windows.ts'
import { allocateFor, floatData, numberData } from './tensor-access.ts'

/**
 * Puts each maximum back where it was found, among zeros: N × C × pooled sizes to N × C × `outputSize`. Where two come
 * from one place, the last stays.
 *
 * @throws OperatorArgumentError when sizes do not fit, or an index lies outside the output
 */
function unpool(self: Tensor, indices: Tensor, outputSize: readonly number[], spatial: number): Tensor {
  const name = `max_unpool${spatial}d`
  requireFloating(self, name)
  checkPoolingInput(self, spatial, name)
  if (outputSize.length !== spatial)
    throw new OperatorArgumentError(
      `there should be exactly ${spatial} elements in output_size, but got ${outputSize.length}`,
      { argument: 'output_size' },
    )
  if (indices.dtype !== 'int64' || indices.sizes.join() !== self.sizes.join())
    throw new OperatorArgumentError(
      `${name}: expected int64 indices of the size of input, ${sizesText(self.sizes)}, but got ${indices.dtype} of ` +
        `size ${sizesText(indices.sizes)}`,
      { argument: 'indices' },
    )
  const result = allocateFor([self, indices], kernelDType(self.dtype), [
    ...self.sizes.slice(0, -spatial),
    ...outputSize,
  ])
  if (!result.isMeta) putBack(result, self, indices, spatial)
  return spatial === 2 ? inOrderOf(self, result) : fromKernel(result, self.dtype)
}

function putBack(result: Tensor, self: Tensor, indices: Tensor, spatial: number): void {
  const [pixels, pooled] = [result, self].map(({ sizes }) => numelOf(sizes.slice(-spatial))) as [
    number,
    number,
  ]
  const [data, places, out] = [floatData(self), numberData(indices), floatsOf(result)]
  for (let i = 0; i < data.length; i++) {
    const place = places[i]!
    if (place < 0 || place >= pixels)
      throw new OperatorArgumentError(
        `found an invalid max index: ${place} (output volumes are of size ${result.sizes.slice(-spatial).join('x')})`,
        { argument: 'indices' },
      )
    out[Math.floor(i / pooled) * pixels + place] = data[i]!
  }
}

export const unpoolingOperators: readonly Operator[] = [
  defineOp('aten::max_unpool2d(Tensor self, Tensor indices, int[2] output_size) -> Tensor', {
    reference: ({ self, indices, output_size }) => unpool(self, indices, output_size, 2),
  }),
  defineOp(
    'aten::max_unpool3d(Tensor self, Tensor indices, int[3] output_size, int[3] stride, int[3] padding) -> Tensor',
    { reference: ({ self, indices, output_size }) => unpool(self, indices, output_size, 3) },
  ),
]
