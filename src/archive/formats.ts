import { NotTorchScriptError, type ForeignFormat } from './errors.ts'
import { decodeUtf8, encodeUtf8, isUtf8 } from './utf8.ts'

interface Format {
  readonly format: ForeignFormat
  /** Completes «this is». */
  readonly what: string
  readonly advice: string
}

const scriptAdvice =
  'Load it in Python and save it with torch.jit.save(torch.jit.script(model), path) or torch.jit.trace.'
const downloadAdvice = 'Check the path, or download the file again.'

interface FileFormat extends Format {
  readonly matches: (file: Uint8Array) => boolean
}

/** Files that are no zip, by their first bytes. The first match counts. */
const fileFormats: readonly FileFormat[] = [
  {
    format: 'empty',
    what: 'an empty file',
    advice: downloadAdvice,
    matches: (file) => file.length === 0,
  },
  {
    format: 'pickle-checkpoint',
    what: 'a checkpoint of torch.save() before PyTorch 1.6 (a pickle, no zip archive)',
    advice: scriptAdvice,
    matches: (file) =>
      startsWith(file, [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
  },
  {
    format: 'pickle',
    what: 'a Python pickle',
    advice: scriptAdvice,
    matches: (file) => file[0] === 0x80 && (file[1] ?? 0) >= 1 && (file[1] ?? 0) <= 5,
  },
  {
    format: 'tar-checkpoint',
    what: 'a tar archive (as torch.save() wrote before PyTorch 0.2)',
    advice: scriptAdvice,
    matches: (file) => hasText(file, 'ustar', 257),
  },
  {
    format: 'preview-archive',
    what: 'a TorchScript archive of the PyTorch 1.0 preview release',
    advice: 'No later release of PyTorch reads it either: export the model again.',
    matches: (file) => hasText(file, 'PYTORCH1'),
  },
  {
    format: 'mobile-flatbuffer',
    what: 'a mobile model in the flatbuffer format',
    advice: scriptAdvice,
    matches: (file) => hasText(file, 'PTMF', 4),
  },
  {
    format: 'tflite',
    what: 'a TensorFlow Lite model',
    advice: 'Only TorchScript archives can be opened.',
    matches: (file) => hasText(file, 'TFL3', 4),
  },
  {
    format: 'hdf5',
    what: 'an HDF5 file (perhaps a Keras model)',
    advice: 'Only TorchScript archives can be opened.',
    matches: (file) => startsWith(file, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
  },
  {
    format: 'gguf',
    what: 'a GGUF model',
    advice: 'Only TorchScript archives can be opened.',
    matches: (file) => hasText(file, 'GGUF'),
  },
  {
    format: 'numpy',
    what: 'a NumPy array',
    advice: 'It can be the input of a model, but is none.',
    matches: (file) => startsWith(file, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]),
  },
  {
    format: 'gzip',
    what: 'a gzip-compressed file',
    advice: 'Decompress it first: gunzip FILE, or tar xzf FILE.',
    matches: (file) => startsWith(file, [0x1f, 0x8b]),
  },
  {
    format: 'safetensors',
    what: 'a safetensors file: tensors without code',
    advice: 'Load it into its Python model and save that with torch.jit.save(torch.jit.script(model), path).',
    matches: (file) => (file[8] === 0x7b || file[8] === 0x20) && headerLength(file) <= file.length - 8,
  },
  {
    format: 'git-lfs-pointer',
    what: 'a Git LFS pointer in place of the file',
    advice: 'Run: git lfs pull',
    matches: (file) => hasText(file, 'version https://git-lfs.github.com'),
  },
  {
    format: 'html',
    what: 'a web page',
    advice: 'The download gave an error or login page instead of the file: download it again.',
    matches: (file) => /^\s*<(!doctype html|html)/i.test(decodeUtf8(file.subarray(0, 256))),
  },
  {
    format: 'onnx',
    what: 'an ONNX model',
    advice:
      'Only TorchScript archives can be opened: save the PyTorch model it was exported from by torch.jit.save.',
    matches: looksLikeOnnx,
  },
  {
    format: 'text',
    what: 'a text file',
    advice: downloadAdvice,
    matches: (file) => isUtf8(file.subarray(0, 1024)) && !file.subarray(0, 1024).includes(0),
  },
]

/** Says what a file is that does not begin as a zip archive. */
export function foreignFile(file: Uint8Array): NotTorchScriptError {
  const known = fileFormats.find(({ matches }) => matches(file))
  return notTorchScript(
    known ?? { format: 'unknown', what: 'a file of an unknown format', advice: downloadAdvice },
  )
}

interface ZipFormat extends Format {
  readonly matches: (has: (name: string) => boolean, names: readonly string[]) => boolean
}

/** Zip archives without TorchScript code, by what they hold below the top folder or without one. */
const zipFormats: readonly ZipFormat[] = [
  {
    format: 'lite-interpreter',
    what: 'a mobile model with bytecode only',
    advice: 'Save it again by torch.jit.save, or by _save_for_lite_interpreter with its code.',
    matches: (has) => has('bytecode.pkl'),
  },
  {
    format: 'exported-program',
    what: 'a program of torch.export (.pt2)',
    advice: 'Save the model by torch.jit.save(torch.jit.script(model), path) instead.',
    matches: (has, names) =>
      has('archive_format') ||
      has('serialized_exported_program.json') ||
      names.some((name) => /^models\/.*\.json$/.test(name)),
  },
  {
    format: 'torch-package',
    what: 'a package of torch.package',
    advice: scriptAdvice,
    matches: (has) => has('.data/extern_modules'),
  },
  {
    format: 'state-dict',
    what: 'a file of torch.save(): a state_dict or another Python object, without code',
    advice: 'Load it into its Python model and save that with torch.jit.save(torch.jit.script(model), path).',
    matches: (has) => has('data.pkl'),
  },
  {
    format: 'torchserve',
    what: 'a TorchServe archive (.mar)',
    advice: 'Unzip it; the model is inside.',
    matches: (has) => has('MAR-INF/MANIFEST.json'),
  },
  {
    format: 'keras',
    what: 'a Keras model',
    advice: 'Only TorchScript archives can be opened.',
    matches: (has) => has('model.weights.h5'),
  },
  {
    format: 'numpy',
    what: 'an .npz file of NumPy arrays',
    advice: 'It can be the inputs of a model, but is none.',
    matches: (_, names) => names.length > 0 && names.every((name) => name.endsWith('.npy')),
  },
]

/** Says what a zip archive is that holds no TorchScript code. @param names with the top folder and without */
export function foreignZip(names: readonly string[]): NotTorchScriptError {
  const set = new Set(names)
  const known = zipFormats.find(({ matches }) => matches((name) => set.has(name), names))
  return notTorchScript(
    known ?? { format: 'zip', what: 'a zip archive without a model', advice: downloadAdvice },
  )
}

function notTorchScript({ format, what, advice }: Format): NotTorchScriptError {
  return new NotTorchScriptError(format, `this is ${what}, no TorchScript archive`, advice)
}

function startsWith(file: Uint8Array, bytes: readonly number[], at = 0): boolean {
  return bytes.every((byte, i) => file[at + i] === byte)
}

function hasText(file: Uint8Array, text: string, at = 0): boolean {
  return startsWith(file, [...encodeUtf8(text)], at)
}

function headerLength(file: Uint8Array): number {
  return Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true))
}

/** A protobuf whose first fields are `ir_version` and then one of ModelProto's (onnx/onnx.proto). */
function looksLikeOnnx(file: Uint8Array): boolean {
  const irVersionField = 0x08
  const nextFields = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42]
  return file[0] === irVersionField && (file[1] ?? 0xff) < 0x20 && nextFields.includes(file[2] ?? 0)
}
