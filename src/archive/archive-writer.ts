import { EntryNameError } from './errors.ts'
import { writePickle } from './pickle-writer.ts'
import { PickleTuple, type PickleValue } from './pickle-values.ts'
import { encodeSourceRanges, type SourceRangeRecord } from './source-ranges.ts'
import { encodeUtf8 } from './utf8.ts'
import { nameFault } from './zip-names.ts'
import { writeZip, type ZipInput } from './zip-writer.ts'

export interface CodeInput {
  readonly text: string
  /** Where the text was compiled from, in ascending order of the offsets. */
  readonly sourceRanges?: readonly SourceRangeRecord[]
}

/** What an archive is written from. */
export interface ArchiveInput {
  /** The top folder's name; libtorch takes the file's base name. */
  readonly name: string
  /** The file format version, which says what the operators in the code mean. */
  readonly version: number
  readonly data: PickleValue
  readonly constants: readonly PickleValue[]
  /** By path under `code/`. */
  readonly code: ReadonlyMap<string, CodeInput>
  /** By path under `extra/`. */
  readonly extra?: ReadonlyMap<string, Uint8Array>
}

/** Since this version libtorch keeps it elsewhere (caffe2/serialize/versions.h). */
const versionInDataFolder = 6

/**
 * The chunks of a TorchScript archive that `torch.jit.load` accepts: entries, order and layout are those of
 * `ScriptModuleSerializer` (torch/csrc/jit/serialization/export_module.cpp), code is stored uncompressed.
 * Storages are handed on by reference. The same input gives the same bytes.
 *
 * Throws `PickleWriteError`, `EntryNameError`, and what reading a storage throws (`ChecksumError`).
 */
export function writeArchive(input: ArchiveInput): Uint8Array[] {
  return writeZip(archiveEntries(input))
}

function* archiveEntries(input: ArchiveInput): Iterable<ZipInput> {
  const root = rootFolder(input.name)
  const entry = (path: string, data: Uint8Array): ZipInput => {
    const fault = nameFault(path)
    if (fault !== undefined) throw new EntryNameError(`the entry name ${JSON.stringify(path)} ${fault}`)
    return { name: `${root}/${path}`, data }
  }
  function* pickled(name: string, value: PickleValue): Iterable<ZipInput> {
    const { bytes, storages } = writePickle(value)
    for (const [key, storage] of storages.entries()) yield entry(`${name}/${key}`, storage.bytes)
    yield entry(`${name}.pkl`, bytes)
  }
  for (const [path, bytes] of input.extra ?? []) yield entry(`extra/${path}`, bytes)
  yield* pickled('data', input.data)
  for (const [path, { text, sourceRanges }] of input.code) {
    yield entry(`code/${path}`, encodeUtf8(text))
    if (sourceRanges !== undefined)
      yield entry(`code/${path}.debug_pkl`, writePickle(encodeSourceRanges(sourceRanges, text)).bytes)
  }
  yield* pickled('constants', new PickleTuple(input.constants))
  yield entry(
    input.version < versionInDataFolder ? 'version' : '.data/version',
    encodeUtf8(`${input.version}\n`),
  )
  yield entry('byteorder', encodeUtf8('little'))
}

/** Any name is one folder: what cannot be in a folder's name is replaced. */
function rootFolder(name: string): string {
  const folder = name.replaceAll(/[/\\:\p{Cc}]/gu, '_')
  return folder === '' || folder === '.' || folder === '..' ? 'archive' : folder
}
