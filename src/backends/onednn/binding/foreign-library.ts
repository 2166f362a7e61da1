import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { createRequire } from 'node:module'
import { faultOfElf } from './elf.ts'
import { OneDnnMissingError, OneDnnVersionError } from './errors.ts'

/** What a C function takes here: numbers, addresses, and memory that it reads or writes. */
export type CArgument = number | bigint | null | string | ArrayBufferView
export type CFunction = (...args: readonly CArgument[]) => number

/** A shared library whose functions can be called. */
export interface ForeignLibrary {
  /** @param signature as in C, `int omp_get_max_threads()` */
  function(signature: string): CFunction
}

interface Koffi {
  load(path: string | null): { func(signature: string): CFunction }
  address(memory: ArrayBufferView): bigint
  readonly decode: { (address: bigint, type: unknown): unknown; string(address: bigint): string }
  array(type: string, length: number): unknown
}

let loaded: Koffi | undefined

/** @throws OneDnnMissingError where the package that calls C is not installed */
function koffi(): Koffi {
  try {
    return (loaded ??= createRequire(import.meta.url)('koffi') as Koffi)
  } catch (cause) {
    throw new OneDnnMissingError(
      'the package koffi, which calls native libraries, is not installed',
      {},
      'npm install koffi',
      { cause },
    )
  }
}

/** @throws OneDnnVersionError for what is no file; whatever the system says when it cannot load it */
export function openLibrary(path: string): ForeignLibrary {
  const caller = koffi()
  // To open a pipe is to wait for who writes to it.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new OneDnnVersionError('it is no file')
  const library = caller.load(path)
  keepLoaded(path)
  return { function: (signature) => library.func(signature) }
}

/**
 * Why the system must not be asked to load the file: it would end the process. Names without a folder, which the system
 * looks for itself, and files that cannot be read are left to it.
 */
export function faultOfFile(path: string): string | undefined {
  if (process.platform !== 'linux' || !path.includes('/')) return undefined
  try {
    return faultOfContent(path, statSync(path))
  } catch {
    return undefined
  }
}

function faultOfContent(path: string, stats: Stats): string | undefined {
  if (!stats.isFile()) return undefined
  const file = openSync(path, 'r')
  try {
    return faultOfElf((offset, length) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
    }, stats.size)
  } finally {
    closeSync(file)
  }
}

const resolveNow = 2 // RTLD_NOW, on every system that has it

/**
 * Takes a second hold of the library, never to be let go: libraries are closed when the process ends, and threads of theirs
 * (OpenMP's) would find themselves without code.
 */
function keepLoaded(path: string): void {
  if (process.platform === 'win32') return
  koffi().load(null).func('void *dlopen(const char *path, int flags)')(path, resolveNow)
}

/** The address of the first byte; it stays while the memory is referenced. */
export function addressOf(memory: ArrayBufferView): bigint {
  return koffi().address(memory)
}

/** C ints at an address. */
export function readInts(address: bigint, count: number): readonly number[] {
  return [...(koffi().decode(address, koffi().array('int', count)) as Int32Array)]
}

/** C 64-bit integers at an address. */
export function readLongs(address: bigint, count: number): readonly number[] {
  return Array.from(
    koffi().decode(address, koffi().array('int64_t', count)) as ArrayLike<number | bigint>,
    Number,
  )
}

/** A copy of the bytes at an address. */
export function readBytes(address: bigint, count: number): Uint8Array {
  return Uint8Array.from(koffi().decode(address, koffi().array('uint8_t', count)) as Uint8Array)
}

/** A C string at an address. */
export function readText(address: bigint): string {
  return koffi().decode.string(address)
}
