import { Tensor } from '../../tensor/tensor.ts'

/*
 * Arithmetic on weights at compile time. It is done in double precision and rounded once, so that folding does not
 * add up rounding errors.
 */

/** Whether the tensor holds plain floating-point numbers that we can compute with. */
export function isPlainFloat(tensor: Tensor): boolean {
  return (tensor.dtype === 'float32' || tensor.dtype === 'float64') && tensor.quantizer === undefined
}

/** Where the elements lie in the storage, in row-major order. */
export function* offsetsOf({ sizes, strides, dim, numel, storageOffset }: Tensor): Generator<number> {
  const index = new Array<number>(dim).fill(0)
  let position = storageOffset
  for (let i = 0; i < numel; i++) {
    yield position
    for (let d = dim - 1; d >= 0; d--) {
      position += strides[d] as number
      if (++(index[d] as number) < (sizes[d] as number)) break
      position -= (index[d] as number) * (strides[d] as number)
      index[d] = 0
    }
  }
}

/** The elements in row-major order. */
export function elementsOf(tensor: Tensor): Float64Array {
  const out = new Float64Array(tensor.numel)
  let i = 0
  for (const offset of offsetsOf(tensor)) out[i++] = Number(tensor.data[offset])
  return out
}

/** The elements in row-major order, where they lie if they lie so: a model's weights are not copied for a look. */
function rowMajor(tensor: Tensor): Float32Array | Float64Array {
  if (!tensor.isContiguous) return elementsOf(tensor)
  const data = tensor.data as Float32Array | Float64Array
  return data.subarray(tensor.storageOffset, tensor.storageOffset + tensor.numel)
}

/**
 * Multiplies every element of `weight` by a factor that depends on its first two indices.
 *
 * @param factorAt the factor for the indices in dimensions 0 and 1
 * @returns a tensor of the same dtype and sizes, row-major
 */
export function scaleWeight(weight: Tensor, factorAt: (i0: number, i1: number) => number): Tensor {
  const scaled = Tensor.zeros(weight.dtype, weight.sizes)
  const source = rowMajor(weight)
  const [n0 = 1, n1 = 1] = weight.sizes
  const inner = weight.numel / Math.max(n0 * n1, 1)
  const target = scaled.data as Float32Array | Float64Array
  let at = 0
  for (let i0 = 0; i0 < n0; i0++)
    for (let i1 = 0; i1 < n1; i1++) {
      const factor = factorAt(i0, i1)
      for (let i = 0; i < inner; i++, at++) target[at] = (source[at] as number) * factor
    }
  return scaled
}

export function tensorOf(elements: Float64Array, like: Tensor): Tensor {
  return Tensor.from(like.dtype, [elements.length], elements)
}
