import {
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
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
    throw new FileError(`cannot read ${path}: ${reasonOf(error)}`, {}, '', { cause: error })
  }
}

/** A file to be written; its content comes in pieces. */
export interface FileContent {
  readonly path: string
  readonly chunks: readonly Uint8Array[]
}

/**
 * Writes the chunks to a temporary name beside the target and renames it: the target is whole or not there.
 *
 * @throws FileError
 */
export function writeFileAtomically(path: string, chunks: readonly Uint8Array[]): void {
  writeFilesAtomically([{ path, chunks }])
}

/**
 * Writes all of the files or none: each to a temporary name beside its target, and only then all are renamed. What is
 * no file (a pipe, `/dev/stdout`) is written to as it is.
 *
 * @throws FileError
 */
export function writeFilesAtomically(files: readonly FileContent[]): void {
  const writes: PendingWrite[] = []
  try {
    for (const file of files) writes.push(attempt(file.path, () => prepare(file)))
    for (const { path, commit } of writes) attempt(path, commit)
  } finally {
    for (const { temporary } of writes) if (temporary !== undefined) rmSync(temporary, { force: true })
  }
}

interface PendingWrite {
  readonly path: string
  /** Holds the content until it is committed. */
  readonly temporary?: string
  readonly commit: () => void
}

function prepare({ path, chunks }: FileContent): PendingWrite {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory()) throw new FileError(`cannot write ${path}: it is a directory`)
  if (stats && !stats.isFile()) {
    const commit = (): void => {
      writeChunks(path, 'w', chunks)
    }
    return { path, commit }
  }
  // A link stays, and what it leads to is replaced.
  const target = stats ? realpathSync(path) : path
  const temporary = `${target}.${process.pid}.tmp`
  try {
    writeChunks(temporary, 'wx', chunks)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  const commit = (): void => {
    renameSync(temporary, target)
  }
  return { path, temporary, commit }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof FileError) throw error
    throw new FileError(`cannot write ${path}: ${reasonOf(error)}`, {}, '', { cause: error })
  }
}

function writeChunks(path: string, flags: 'w' | 'wx', chunks: readonly Uint8Array[]): void {
  const file = openSync(path, flags)
  try {
    for (const chunk of chunks) writeAll(file, chunk)
  } finally {
    closeSync(file)
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

/** Why the system did not read or write, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}
