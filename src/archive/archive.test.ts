import { describe, expect, it } from 'vitest'
import {
  errorOf,
  fixture,
  plain,
  withBytes,
  withDirectoryField,
  withEntries,
  zipBytes,
} from '../../test/support/archives.ts'
import { Tensor } from '../tensor/tensor.ts'
import { readArchive, type Archive } from './archive.ts'
import {
  ChecksumError,
  MissingEntryError,
  PickleError,
  TensorLayoutError,
  UnsupportedArchiveError,
} from './errors.ts'
import { PickleDict, PickleObject, type PickleValue } from './pickle-values.ts'

const attributes = fixture('attributes.pt')

function attribute(archive: Archive, name: string): PickleValue | undefined {
  const { data } = archive
  return data instanceof PickleObject && data.state instanceof PickleDict ? data.state.get(name) : undefined
}

function tensor(archive: Archive, name: string): Tensor {
  const value = attribute(archive, name)
  expect(value).toBeInstanceOf(Tensor)
  return value as Tensor
}

describe.each(['attributes.pt', 'attributes-2.pt'])('readArchive on %s', (file) => {
  const archive = readArchive(fixture(file))

  it('knows name, version, size and code', () => {
    expect(archive.name).toBe(file.replace('.pt', ''))
    expect(archive.version).toBe(3)
    expect(archive.byteLength).toBe(fixture(file).length)
    expect([...archive.code.keys()]).toContain('__torch__/torch/nn/modules/linear.py')
    expect(archive.code.get('__torch__.py')?.text).toMatch(
      /^class Attributes\(Module\):\n {2}__parameters__ = \[/,
    )
    expect(archive.code.get('__torch__.py')?.text).toContain('class Color(Enum):\n  RED = 1\n')
  })

  it.each([
    ['small', 7],
    ['negative', -3],
    ['big', { int: '9007199254740993' }],
    ['wide', 70000],
    ['ratio', { float: '2' }],
    ['infinite', { float: 'Infinity' }],
    ['flag', true],
    ['text', 'grün\n→ 🧊'],
    ['absent', null],
    ['device', { device: 'cuda:1' }],
    ['impedance', { complex: [1, -2] }],
    ['pair', { tuple: [1, 'x'] }],
    ['point', { tuple: [3, { float: '0.25' }] }],
    ['color', { call: '__torch__.Color', args: 2 }],
    ['ints', { number: 0, list: [1, 2, 300], type: 'List[int]' }],
    ['floats', { number: 0, list: [{ float: '0.5' }, { float: '-1' }], type: 'List[float]' }],
    ['bools', { number: 0, list: [true, false], type: 'List[bool]' }],
    ['strings', { number: 0, list: ['a', 'b', 'a'], type: 'List[str]' }],
    [
      'lengths',
      {
        number: 0,
        dict: [
          ['one', 1],
          ['two', 2],
        ],
        type: 'Dict[str, int]',
      },
    ],
  ] as const)('reads the attribute %s', (name, expected) => {
    expect(plain(attribute(archive, name) ?? null)).toEqual(expected)
  })

  it('reads nested lists, objects and states', () => {
    expect(attribute(archive, 'nested')).toMatchObject({
      items: [{ items: [1] }, { items: [] }],
      type: 'List[List[int]]',
    })
    expect(attribute(archive, 'counter')).toMatchObject({ class: { module: '__torch__', name: 'Counter' } })
    expect(plain((attribute(archive, 'stateful') as PickleObject).state)).toEqual({
      tuple: [{ float: '0.5' }, true],
    })
  })

  it('reads tensors of every kind as views of one file', () => {
    const view = tensor(archive, 'view')
    expect(view).toMatchObject({ dtype: 'float32', sizes: [4, 2], strides: [1, 4], storageOffset: 4 })
    expect([...view.data].slice(4, 6)).toEqual([4, 5])
    expect(tensor(archive, 'halves')).toMatchObject({ dtype: 'float16', sizes: [2] })
    expect(tensor(archive, 'brains')).toMatchObject({ dtype: 'bfloat16', sizes: [2] })
    expect([...tensor(archive, 'waves').data]).toEqual([1, 2])
    expect([...tensor(archive, 'scalar').data]).toEqual([5n])
    expect(tensor(archive, 'nothing')).toMatchObject({ sizes: [0, 3], numel: 0 })
    expect(tensor(archive, 'weight')).toMatchObject({ requiresGrad: true, sizes: [2, 2] })
  })

  it('keeps shared storages shared', () => {
    expect(tensor(archive, 'view').storage).toBe(tensor(archive, 'base').storage)
    const byNumber = attribute(archive, 'by_number') as PickleDict
    expect((byNumber.get(1) as Tensor).storage).toBe(tensor(archive, 'base').storage)
    expect(byNumber.type).toBe('Dict[int, Tensor]')
  })
})

describe('readArchive', () => {
  it('reads the extra files', () => {
    const { extra } = readArchive(attributes)
    expect([...extra.keys()]).toEqual(['a/b.bin', 'note.txt'])
    expect([...(extra.get('a/b.bin')?.bytes ?? [])]).toEqual([0, 255])
  })

  it('reads the constants', () => {
    const { constants } = readArchive(fixture('traced.pt'))
    expect(constants).toMatchObject([
      { dtype: 'float32', sizes: [3] },
      { dtype: 'int64', sizes: [3] },
    ])
  })

  it('reads quantised tensors', () => {
    const archive = readArchive(fixture('quantized-tensors.pt'))
    expect(tensor(archive, 'per_tensor').quantizer).toEqual({
      scheme: 'per_tensor_affine',
      scale: 0.125,
      zeroPoint: 3,
    })
    expect(tensor(archive, 'per_channel').quantizer).toMatchObject({ scheme: 'per_channel_affine', axis: 0 })
  })

  it('reads a mobile model that has its code', () => {
    expect(readArchive(fixture('mobile.ptl')).code.size).toBe(4)
  })

  it('takes the bytes of storages from the file without copying', () => {
    const file = fixture('scripted.pt')
    const { data } = readArchive(file)
    const conv = ((data as PickleObject).state as PickleDict).get('conv') as PickleObject
    const weight = (conv.state as PickleDict).get('weight') as Tensor
    expect(weight.data.buffer).toBe(file.buffer)
  })

  it('takes any top folder, and the version where newer archives keep it', () => {
    const renamed = withBytes(fixture('traced.pt'), 'traced/', 'folder/')
    expect(readArchive(renamed).name).toBe('folder')
    const newer = withEntries(fixture('traced.pt'), { version: undefined, '.data/version': '10\n' })
    expect(readArchive(newer).version).toBe(10)
  })

  it('turns the bytes of an archive from a big-endian machine', () => {
    const turned = readArchive(withEntries(fixture('traced.pt'), { byteorder: 'big' }))
    const bytes = new DataView((turned.constants[0] as Tensor).storage.bytes.slice().buffer)
    expect([0, 4, 8].map((at) => bytes.getFloat32(at, false))).toEqual([1, 2, 3])
  })

  it('checks a storage when its bytes are needed, and not before', () => {
    const damaged = readArchive(withDirectoryField(fixture('traced.pt'), 'constants/0', { crc32: 0 }))
    const constant = damaged.constants[0] as Tensor
    expect(constant.sizes).toEqual([3])
    expect(errorOf(() => constant.data)).toBeInstanceOf(ChecksumError)
    expect((damaged.constants[1] as Tensor).data).toHaveLength(3)
  })

  it.each(['data.pkl', 'constants.pkl', 'version'])('says that %s is missing', (path) => {
    const error = errorOf(() => readArchive(withEntries(fixture('traced.pt'), { [path]: undefined })))
    expect(error).toBeInstanceOf(MissingEntryError)
    expect(error).toMatchObject({ found: `the archive has no entry ${path}` })
  })

  it('says which storage is missing, and which is too short', () => {
    const missing = readArchive(withEntries(fixture('traced.pt'), { 'constants/1': undefined }))
    expect(errorOf(() => missing.constants)).toBeInstanceOf(MissingEntryError)
    const short = readArchive(withEntries(fixture('traced.pt'), { 'constants/1': new Uint8Array(23) }))
    expect(errorOf(() => short.constants)).toBeInstanceOf(TensorLayoutError)
    expect(errorOf(() => short.constants)).toMatchObject({ place: { entry: 'constants.pkl' } })
  })

  it.each(['11', '0', '-1', 'three', '', '99999999999'])('refuses the version %j', (version) => {
    const error = errorOf(() => readArchive(withEntries(fixture('traced.pt'), { version })))
    expect(error).toBeInstanceOf(UnsupportedArchiveError)
  })

  it('refuses constants that are no tuple', () => {
    const archive = readArchive(withEntries(fixture('traced.pt'), { 'constants.pkl': '\udc80\u0002N.' }))
    expect(errorOf(() => archive.constants)).toBeInstanceOf(PickleError)
  })

  it('ignores files beside the top folder', () => {
    const zip = zipBytes({
      '__MACOSX/x': '',
      'm/data.pkl': '',
      'm/constants.pkl': '',
      'm/code/a.py': '',
      'm/version': '3',
    })
    expect(readArchive(zip).name).toBe('m')
  })
})
