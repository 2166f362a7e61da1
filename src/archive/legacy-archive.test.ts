import { describe, expect, it } from 'vitest'
import { errorOf, fixture, plain, withEntries } from '../../test/support/archives.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readArchive } from './archive.ts'
import { MissingEntryError, TensorLayoutError, UnsupportedArchiveError } from './errors.ts'
import { type PickleDict, type PickleObject } from './pickle-values.ts'

const file = fixture('legacy.pt')

describe('readArchive on an archive of libtorch 1.3', () => {
  const archive = readArchive(file)

  it('gives each module the class that libtorch gives it', () => {
    expect([...archive.code.keys()]).toEqual(['__torch__/old_net.py', '__torch__.py'])
    expect(archive.code.get('__torch__/old_net.py')?.text).toMatch(/^class _0\(Module\):/)
    const lines = archive.code.get('__torch__.py')?.text.split('\n')
    expect(lines?.slice(0, 8)).toEqual([
      'class old_net(Module):',
      '  __parameters__ = ["weight", ]',
      '  __buffers__ = []',
      '  __annotations__ = []',
      '  __annotations__["0"] = __torch__.old_net._0',
      '  weight : Tensor',
      '  training : bool',
      '  factor : int',
    ])
    expect(lines?.[10]).toBe('  def forward(self,')
    expect(lines?.join('\n')).not.toContain('op_version_set')
  })

  it('reads parameters, attributes, submodules and constants', () => {
    const state = (archive.data as PickleObject).state as PickleDict
    expect([...state.entries()].map(([name]) => name)).toEqual(['0', 'weight', 'training', 'factor', 'sizes'])
    expect(plain(state.get('sizes') ?? null)).toEqual({ number: 0, list: [1, 2], type: 'List[int]' })
    expect(state.get('weight')).toMatchObject({ sizes: [2, 2], requiresGrad: true })
    expect(state.get('0')).toMatchObject({ class: { module: '__torch__.old_net', name: '_0' } })
    expect(archive.constants.map((constant) => (constant as Tensor).dtype)).toEqual([
      'float32',
      'float32',
      'float64',
    ])
  })

  it('moves source ranges along with the code', () => {
    const text = archive.code.get('__torch__.py')?.text ?? ''
    const ranges = archive.sourceRanges('__torch__.py')
    expect(ranges?.at(text.indexOf('torch.matmul'))).toMatchObject({ text: 'x @ self.weight', line: 11 })
    expect(ranges?.at(text.indexOf('torch.add'))).toMatchObject({ text: 'x @ self.weight + self.bias' })
    expect(ranges?.at(text.indexOf('torch.matmul') - 1)).toBeUndefined()
  })

  it('refuses a description that is broken', () => {
    const broken = (json: string) =>
      errorOf(() => readArchive(withEntries(file, { 'model.json': json })).data)
    expect(broken('{')).toBeInstanceOf(UnsupportedArchiveError)
    expect(broken('[]')).toBeInstanceOf(UnsupportedArchiveError)
    expect(broken('{"tensors": 3}')).toBeInstanceOf(UnsupportedArchiveError)
    expect(broken('{"mainModule": {"parameters": [{"name": "w", "tensorId": "5"}]}}')).toBeInstanceOf(
      UnsupportedArchiveError,
    )
    expect(broken('{"mainModule": {"torchscriptArena": {"key": "code/no.py"}}}')).toBeInstanceOf(
      MissingEntryError,
    )
    expect(broken(`{"mainModule":{"submodules":[${'{"submodules":['.repeat(1e5)}`)).toBeInstanceOf(
      UnsupportedArchiveError,
    )
    const deep = `{"mainModule":${'{"submodules":['.repeat(1e4)}${']}'.repeat(1e4)}}`
    expect(broken(deep)).toMatchObject({ found: 'the model description nests modules too deeply' })
  })

  it('refuses a storage that is too short', () => {
    const short = readArchive(withEntries(file, { 'tensors/0': new Uint8Array(15) }))
    expect(errorOf(() => short.constants)).toBeInstanceOf(TensorLayoutError)
  })
})
