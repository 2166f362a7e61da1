import { dtypeFromCode, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { floatsOf, fromKernel, kernelDType, requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { allocateFor, convert, floatData } from './tensor-access.ts'

/** Writes one line of results; `line` holds its inputs and may be used as scratch. */
type LineKernel = (line: Float64Array) => void

const softmaxLine: LineKernel = (line) => {
  const sum = exponentials(line, largest(line))
  for (let i = 0; i < line.length; i++) line[i]! /= sum
}

/** As `softmaxLine`, but zeros where there is nothing but -∞. */
const safeSoftmaxLine: LineKernel = (line) => {
  if (largest(line) === -Infinity) line.fill(0)
  else softmaxLine(line)
}

const logSoftmaxLine: LineKernel = (line) => {
  const max = largest(line)
  let sum = 0
  for (let i = 0; i < line.length; i++) sum += Math.exp(line[i]! - max)
  const shift = max + Math.log(sum)
  for (let i = 0; i < line.length; i++) line[i]! -= shift
}

function largest(line: Float64Array): number {
  let max = -Infinity
  for (let i = 0; i < line.length; i++) if (line[i]! > max || Number.isNaN(line[i])) max = line[i]!
  return max
}

/** Replaces each element by e to its distance from `max`, and gives their sum. */
function exponentials(line: Float64Array, max: number): number {
  let sum = 0
  for (let i = 0; i < line.length; i++) sum += line[i] = Math.exp(line[i]! - max)
  return sum
}

/** Applies a kernel to each line along `dim`; computes in doubles, gives a row-major tensor of the dtype. */
function alongDimension(self: Tensor, dim: number, dtype: DType, kernel: LineKernel): Tensor {
  const axis = wrapDimension(dim, self.dim)
  const result = allocateFor([self], kernelDType(dtype), self.sizes)
  if (result.isMeta) return fromKernel(result, dtype)
  const data = floatData(convert(self, dtype))
  const out = floatsOf(result)
  const line = new Float64Array(self.sizes[axis] ?? 1)
  const inner = self.sizes.slice(axis + 1).reduce((n, size) => n * size, 1)
  for (let start = 0; start < self.numel; start += line.length * inner)
    for (let first = start; first < start + inner; first++) {
      for (let i = 0; i < line.length; i++) line[i] = data[first + i * inner]!
      kernel(line)
      for (let i = 0; i < line.length; i++) out[first + i * inner] = line[i]!
    }
  return fromKernel(result, dtype)
}

/** e^x over the sum of e^x along a dimension. */
export function softmax(self: Tensor, dim: number, dtype: DType = self.dtype): Tensor {
  if (dtype === self.dtype) requireFloating(self, 'softmax')
  return alongDimension(self, dim, dtype, softmaxLine)
}

/** `softmax`, with zeros for lines of nothing but -∞, where attention has every key hidden. */
export function safeSoftmax(self: Tensor, dim: number, dtype: DType = self.dtype): Tensor {
  if (dtype === self.dtype) requireFloating(self, 'softmax')
  return alongDimension(self, dim, dtype, safeSoftmaxLine)
}

/** The logarithm of `softmax`, without its underflow. */
export function logSoftmax(self: Tensor, dim: number, dtype: DType = self.dtype): Tensor {
  if (dtype === self.dtype) requireFloating(self, 'log_softmax')
  return alongDimension(self, dim, dtype, logSoftmaxLine)
}

function named(dtype: number | null, self: Tensor): DType {
  return dtype === null ? self.dtype : dtypeFromCode(dtype)
}

export const softmaxOperators: readonly Operator[] = [
  defineOp('aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dim, dtype }) => softmax(self, dim, named(dtype, self)),
  }),
  defineOp('aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dim, dtype }) => logSoftmax(self, dim, named(dtype, self)),
  }),
  defineOp('aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor', {
    reference: ({ self, dim, dtype }) => safeSoftmax(self, dim, named(dtype, self)),
  }),
  defineOp('aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', {
    reference: ({ self, dim, half_to_float }) => softmax(self, dim, half_to_float ? 'float32' : self.dtype),
  }),
  defineOp('aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor', {
    reference: ({ self, dim, half_to_float }) =>
      logSoftmax(self, dim, half_to_float ? 'float32' : self.dtype),
  }),
]
