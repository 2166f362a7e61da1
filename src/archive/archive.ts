import type { PickleValue } from './pickle-values.ts'
import type { SourceRangeTable } from './source-ranges.ts'

/** One file under `code/`. Text and ranges are decoded when first asked for. */
export interface CodeFile {
  /** Under `code/`, e.g. `__torch__/torch/nn/modules/conv.py`. */
  readonly path: string
  readonly byteLength: number
  /** Throws `ChecksumError`, `ZipFormatError`. */
  readonly text: string
  /** Where the text was compiled from; undefined when the archive was saved without. */
  readonly sourceRanges: SourceRangeTable | undefined
}

/** A TorchScript archive: the parts of the zip, still as pickles and texts, nothing compiled. */
export interface Archive {
  /** The top folder's name; libtorch takes the file's base name. */
  readonly name: string
  /** The file format version (caffe2/serialize/versions.h), 1 to 10 so far. */
  readonly version: number
  /** Keyed by `CodeFile.path`, in the order of the archive. */
  readonly code: ReadonlyMap<string, CodeFile>
  /** The root module: `data.pkl`, read at the first access. */
  readonly data: PickleValue
  /** `CONSTANTS.c0`, `CONSTANTS.c1`, … of the code: `constants.pkl`, read at the first access. */
  readonly constants: readonly PickleValue[]
  /** Entries under `extra/`, by their path there. */
  readonly extra: ReadonlyMap<string, Uint8Array>
  /** Size of the whole file. */
  readonly byteLength: number
  sourceRanges(path: string): SourceRangeTable | undefined
}
