import { describe, expect, it } from 'vitest'
import { Tensor } from '../tensor/tensor.ts'
import { convolutionGeometry, type ConvolutionOptions } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'

const options: ConvolutionOptions = {
  stride: [1],
  padding: [0],
  dilation: [1],
  groups: 1,
  transposed: false,
  outputPadding: [0],
}

function geometry(
  input: number[],
  weight: number[],
  changed: Partial<ConvolutionOptions> = {},
): () => unknown {
  const [x, w] = [Tensor.zeros('float32', input), Tensor.zeros('float32', weight)]
  return () => convolutionGeometry(x, w, null, { ...options, ...changed })
}

describe('convolutionGeometry', () => {
  it('names the channels that it has and those that it expects', () => {
    const wrong = geometry([1, 4, 8, 8], [2, 3, 3, 3])
    expect(wrong).toThrow(OperatorArgumentError)
    expect(wrong).toThrow(
      'weight of size [2, 3, 3, 3], expected input[1, 4, 8, 8] to have 3 channels, but got 4 channels instead',
    )
  })

  it('names the padded input and the kernel that does not fit into it', () => {
    expect(geometry([1, 4, 8, 8], [2, 4, 9, 3], { padding: [0, 1] })).toThrow(
      "input size per channel: (8 x 10). Kernel size: (9 x 3). Kernel size can't be greater than actual input size",
    )
  })

  it('puts the odd zero of padding "same" behind the input', () => {
    expect(geometry([1, 1, 7], [1, 1, 4], { padding: 'same' })()).toMatchObject({ padding: [1], output: [7] })
  })
})
