import { describe, expect, it } from 'vitest'
import { errorOf, fixture, zipBytes } from '../../test/support/archives.ts'
import { readArchive } from './archive.ts'
import { NotTorchScriptError, TruncatedArchiveError, type ForeignFormat } from './errors.ts'
import { encodeUtf8 } from './utf8.ts'

/** The first bytes of an ONNX model: ir_version 8, producer_name "pytorch". */
const onnx = Uint8Array.of(8, 8, 0x12, 7, ...encodeUtf8('pytorch'), 0x1a, 5, ...encodeUtf8('2.1.0'))

const files: readonly (readonly [ForeignFormat, string, Uint8Array | string])[] = [
  ['empty', 'an empty file', ''],
  ['pickle-checkpoint', 'a legacy checkpoint', fixture('checkpoint.pt')],
  ['pickle', 'another pickle', Uint8Array.of(0x80, 4, 0x4e, 0x2e)],
  ['state-dict', 'a state_dict', fixture('state-dict.pt')],
  ['exported-program', 'a program of torch.export', fixture('exported.pt2')],
  [
    'exported-program',
    'one of PyTorch 2.1',
    zipBytes({ 'serialized_exported_program.json': '{}', version: '1' }),
  ],
  [
    'lite-interpreter',
    'bytecode only',
    zipBytes({ 'm/bytecode.pkl': 'x', 'm/data.pkl': 'x', 'm/version': '7' }),
  ],
  ['torch-package', 'a package', zipBytes({ 'p/.data/extern_modules': '', 'p/.data/version': '6' })],
  ['torchserve', 'a .mar', zipBytes({ 'MAR-INF/MANIFEST.json': '{}', 'model.pt': 'x' })],
  [
    'keras',
    'a .keras file',
    zipBytes({ 'metadata.json': '{}', 'config.json': '{}', 'model.weights.h5': 'x' }),
  ],
  ['numpy', 'an .npz file', zipBytes({ '0.npy': 'x', 'x.npy': 'y' })],
  ['zip', 'any zip', zipBytes({ 'readme.txt': 'x' })],
  ['zip', 'an empty zip', zipBytes({})],
  ['onnx', 'an ONNX model', onnx],
  ['safetensors', 'a safetensors file', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d)],
  ['hdf5', 'a Keras model', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0)],
  ['tar-checkpoint', 'a tar archive', Uint8Array.of(...new Uint8Array(257), ...encodeUtf8('ustar'))],
  ['preview-archive', 'the preview format', 'PYTORCH1 and more'],
  ['mobile-flatbuffer', 'a flatbuffer', Uint8Array.of(0x20, 0, 0, 0, ...encodeUtf8('PTMF'))],
  ['tflite', 'a TFLite model', Uint8Array.of(0x1c, 0, 0, 0, ...encodeUtf8('TFL3'))],
  ['gguf', 'a GGUF model', 'GGUF\u0003\0\0\0'],
  ['numpy', 'an array', Uint8Array.of(0x93, ...encodeUtf8('NUMPY'))],
  ['gzip', 'a gzip file', Uint8Array.of(0x1f, 0x8b, 8)],
  ['git-lfs-pointer', 'a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00'],
  ['html', 'an error page', '<!DOCTYPE html><html><title>404'],
  ['text', 'a text', 'class Net(Module):\n'],
  ['text', 'two letters', 'PX'],
  ['unknown', 'noise', Uint8Array.of(0xff, 0, 1, 2)],
]

describe('readArchive on other files', () => {
  it.each(files)('recognises %s: %s', (format, _, content) => {
    const error = errorOf(() => readArchive(typeof content === 'string' ? encodeUtf8(content) : content))
    expect(error).toBeInstanceOf(NotTorchScriptError)
    expect(error).toMatchObject({ format })
    expect((error as NotTorchScriptError).found).toMatch(/^this is an? .*, no TorchScript archive$/)
    expect((error as NotTorchScriptError).advice).not.toBe('')
  })

  it('takes the beginning of an archive for one that is cut off', () => {
    for (const length of [2, 4, 100, 5000])
      expect(errorOf(() => readArchive(fixture('scripted.pt').subarray(0, length)))).toBeInstanceOf(
        TruncatedArchiveError,
      )
  })
})
