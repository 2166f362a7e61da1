import { PermafrostError } from '../errors.ts'

/** What a file is when it is not a TorchScript archive. */
export type ForeignFormat =
  | 'empty'
  | 'unknown'
  | 'text'
  | 'html'
  | 'git-lfs-pointer'
  | 'gzip'
  | 'tar-checkpoint'
  | 'pickle-checkpoint'
  | 'pickle'
  | 'state-dict'
  | 'torch-package'
  | 'exported-program'
  | 'mobile-flatbuffer'
  | 'lite-interpreter'
  | 'preview-archive'
  | 'torchserve'
  | 'onnx'
  | 'safetensors'
  | 'hdf5'
  | 'keras'
  | 'numpy'
  | 'gguf'
  | 'tflite'
  | 'zip'

/** The file is something else, and is named. */
export class NotTorchScriptError extends PermafrostError {
  readonly code = 'not-torchscript'
  readonly format: ForeignFormat
  constructor(format: ForeignFormat, found: string, advice: string) {
    super(found, {}, advice)
    this.format = format
  }
}

/** The zip container contradicts itself: wrong offsets, sizes, names, headers. */
export class ZipFormatError extends PermafrostError {
  readonly code: string = 'zip-format'
}

/** The file ends before its own directory says it does. */
export class TruncatedArchiveError extends ZipFormatError {
  override readonly code = 'archive-truncated'
}

/** An entry's bytes are not those that were written. */
export class ChecksumError extends ZipFormatError {
  override readonly code = 'checksum-mismatch'
}

/** An entry name that could leave the archive, or that names two entries. */
export class EntryNameError extends ZipFormatError {
  override readonly code = 'entry-name'
}

/** Reading on would take more memory than the file's size justifies. */
export class ArchiveLimitError extends PermafrostError {
  readonly code = 'archive-limit'
}

/** An entry that the format requires is not there. */
export class MissingEntryError extends PermafrostError {
  readonly code = 'entry-missing'
}

/** Legal, but nothing we can read: encrypted or exotic entries, format versions of the future. */
export class UnsupportedArchiveError extends PermafrostError {
  readonly code: string = 'archive-unsupported'
}

/** The pickle stream is broken. */
export class PickleError extends PermafrostError {
  readonly code: string = 'pickle-format'
}

/** The pickle names a global that no TorchScript archive contains: loading it in Python would run it. */
export class ForbiddenGlobalError extends PickleError {
  override readonly code = 'pickle-global'
}

/** A tensor's sizes, strides or storage do not fit together. */
export class TensorLayoutError extends PickleError {
  override readonly code = 'tensor-layout'
}

/** A value that this library would have to write, but that a pickle cannot hold. */
export class PickleWriteError extends PermafrostError {
  readonly code = 'pickle-write'
}
