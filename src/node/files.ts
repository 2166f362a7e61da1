import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { FileError } from './errors.ts'

/**
 * All bytes of a file.
 *
 * @throws FileError for a file that does not exist, a directory, missing permission
 */
export function readFileBytes(path: string): Uint8Array {
  try {
    const buffer = readFileSync(path)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  } catch (error) {
    throw new FileError(`cannot read ${path}: ${describe(error)}`, {}, '', { cause: error })
  }
}

/**
 * Writes the chunks to a temporary name beside the target and renames it: the target is whole or not there.
 *
 * @throws FileError
 */
export function writeFileAtomically(path: string, chunks: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(temporary, 'wx')
    try {
      for (const chunk of chunks) writeAll(file, chunk)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new FileError(`cannot write ${path}: ${describe(error)}`, {}, '', { cause: error })
  }
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of the path is no directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  ERR_FS_FILE_TOO_LARGE: 'files over 2 GiB cannot be read yet',
}

function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}
