import { describe, expect, it } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { loadFixture } from '../../test/support/fixture-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import { TensorT } from '../ir/types.ts'
import type { IValue, List, ScriptObject } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { findSampleInputs, resample } from './sample-inputs.ts'

function moduleOf(
  parameters: string,
  body: string,
  slots: Readonly<Record<string, Tensor>>,
): () => ScriptObject {
  const attributes = Object.keys(slots).map((name) => `  ${name} : Tensor\n`)
  const text = `class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n${attributes.join('')}  def forward(self: __torch__.M, ${parameters}) -> Any:\n    return ${body}\n`
  const modules = new ModuleSource(text)
  return () => modules.make('M', slots)
}

const describeInputs = (open: () => ScriptObject): string => findSampleInputs(open).description

describe('findSampleInputs', () => {
  it('takes the channels of the first convolution that the input reaches', () => {
    const weight = noise([6, 5, 3, 3])
    const open = moduleOf('x: Tensor', 'torch.conv2d(torch.relu(x), self.weight)', { weight })
    expect(describeInputs(open)).toBe('x: float32[1, 5, 64, 64]')
  })

  it('counts the groups of a convolution, and knows transposed ones', () => {
    const weight = noise([6, 2, 3, 3])
    const grouped = 'torch.conv2d(x, self.weight, None, [1, 1], [0, 0], [1, 1], 3)'
    expect(describeInputs(moduleOf('x: Tensor', grouped, { weight }))).toBe('x: float32[1, 6, 64, 64]')
    const transposed = 'torch.conv_transpose2d(x, self.weight)'
    expect(describeInputs(moduleOf('x: Tensor', transposed, { weight }))).toBe('x: float32[1, 6, 64, 64]')
  })

  it('takes other sizes of pictures until one fits', () => {
    const weight = noise([4, 1, 3, 3])
    const large = 'torch.view(torch.conv2d(x, self.weight), [-1, 222])'
    expect(describeInputs(moduleOf('x: Tensor', large, { weight }))).toBe('x: float32[1, 1, 224, 224]')
  })

  it('takes the features of a linear layer, 1-d and 3-d pictures, channels of a batch norm', () => {
    const linear = moduleOf('x: Tensor', 'torch.linear(x, self.w)', { w: noise([3, 7]) })
    expect(describeInputs(linear)).toBe('x: float32[1, 7]')
    const conv1 = moduleOf('x: Tensor', 'torch.conv1d(x, self.w)', { w: noise([3, 7, 3]) })
    expect(describeInputs(conv1)).toBe('x: float32[1, 7, 64]')
    const conv3 = moduleOf('x: Tensor', 'torch.conv3d(x, self.w)', { w: noise([3, 2, 3, 3, 3]) })
    expect(describeInputs(conv3)).toBe('x: float32[1, 2, 8, 32, 32]')
  })

  it('draws indices below the number of rows of an embedding', () => {
    const open = moduleOf('x: Tensor', 'torch.embedding(self.w, x)', { w: noise([5, 2]) })
    const { values, description } = findSampleInputs(open, { seed: 3 })
    expect(description).toBe('x: int64[1, 8]')
    const elements = Array.from((values[0] as Tensor).data as BigInt64Array, Number)
    expect(elements.every((element) => element >= 0 && element < 5)).toBe(true)
  })

  it('makes lists, numbers, bools and optional arguments', () => {
    const parameters = 'xs: List[Tensor], k: int, scale: float, on: bool, mask: Optional[Tensor]'
    const open = moduleOf(parameters, 'torch.conv2d(torch.stack(xs), self.w)', { w: noise([2, 3, 1, 1]) })
    const { values, description } = findSampleInputs(open)
    expect(description).toMatch(
      /^xs: \[float32\[3, 64, 64\], float32\[3, 64, 64\]\], k: \d, scale: 0\.\d+, on: \w+, mask: null$/,
    )
    expect((values[0] as List).elementType).toEqual(TensorT)
  })

  it('uses the sizes of a traced graph, gives the same numbers for the same seed, and others for another', () => {
    const open = (): ScriptObject => loadFixture('cascade-traced').root
    const elements = (values: readonly IValue[]): number[] => [
      ...((values[0] as Tensor).data as Float32Array),
    ]
    const first = findSampleInputs(open, { seed: 1 })
    expect(elements(findSampleInputs(open, { seed: 1 }).values)).toEqual(elements(first.values))
    expect(elements(resample(first, 2).values)).not.toEqual(elements(first.values))
  })

  it('says so when no input is taken', () => {
    const open = moduleOf('x: Tensor', 'torch.view(x, [17, 19])', {})
    expect(() => findSampleInputs(open)).toThrow(/no random inputs were found that forward takes/)
  })
})
