import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { averagePool, maximumPool } from './pool.ts'
import { adaptiveWindows, checkPoolingInput, type Windows } from './pooling-windows.ts'

function windowsFor(self: Tensor, output: readonly number[], spatial: number, name: string): Windows[] {
  requireFloating(self, name)
  checkPoolingInput(self, spatial, name)
  if (output.length !== spatial || output.some((size) => size < 0))
    throw new OperatorArgumentError(
      `${name}: output_size must be ${spatial} numbers greater than or equal to 0, but got ${sizesText(output)}`,
      { argument: 'output_size' },
    )
  return self.sizes.slice(-spatial).map((size, i) => adaptiveWindows(size, output[i]!))
}

function averages(self: Tensor, output: readonly number[], spatial: number): Tensor {
  const windows = windowsFor(self, output, spatial, `adaptive_avg_pool${spatial}d`)
  return averagePool(self, windows, 'inside', spatial === 2)
}

function maxima(self: Tensor, output: readonly number[], spatial: number): Tensor[] {
  const windows = windowsFor(self, output, spatial, `adaptive_max_pool${spatial}d`)
  const { values, indices } = maximumPool(self, windows, spatial === 2)
  return [values, indices]
}

export const adaptivePoolingOperators: readonly Operator[] = [
  defineOp('aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor', {
    reference: ({ self, output_size }) => averages(self, output_size, 1),
  }),
  defineOp('aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor', {
    reference: ({ self, output_size }) => averages(self, output_size, 2),
  }),
  defineOp('aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor', {
    reference: ({ self, output_size }) => averages(self, output_size, 2),
  }),
  defineOp('aten::adaptive_avg_pool3d(Tensor self, int[3] output_size) -> Tensor', {
    reference: ({ self, output_size }) => averages(self, output_size, 3),
  }),
  defineOp('aten::_adaptive_avg_pool3d(Tensor self, int[3] output_size) -> Tensor', {
    reference: ({ self, output_size }) => averages(self, output_size, 3),
  }),
  defineOp('aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)', {
    reference: ({ self, output_size }) => maxima(self, output_size, 1),
  }),
  defineOp('aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)', {
    reference: ({ self, output_size }) => maxima(self, output_size, 2),
  }),
  defineOp('aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)', {
    reference: ({ self, output_size }) => maxima(self, output_size, 3),
  }),
]
