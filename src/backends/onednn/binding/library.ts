import type { Dnnl } from './dnnl.ts'
import { OneDnnError, OneDnnMissingError, OneDnnVersionError } from './errors.ts'
import { faultOfFile, openLibrary, readInts, type ForeignLibrary } from './foreign-library.ts'
import { openVersion2 } from './version2.ts'
import { openVersion3 } from './version3.ts'

const names: Readonly<Record<string, readonly string[]>> = {
  // Debian's version 3 is named libdnnl.so.3.6, whatever its release.
  linux: ['libdnnl.so.2', 'libdnnl.so.3', 'libdnnl.so.3.6', 'libdnnl.so'],
  darwin: ['libdnnl.2.dylib', 'libdnnl.3.dylib', 'libdnnl.dylib', '/opt/homebrew/lib/libdnnl.dylib'],
  win32: ['dnnl.dll'],
}

const installed: Readonly<Record<string, string>> = {
  linux:
    'apt-get install libdnnl3.6 (Debian 13) or libdnnl2 (Debian 12), or conda install -c conda-forge onednn',
  darwin: 'brew install onednn, or conda install -c conda-forge onednn',
  win32: 'conda install -c conda-forge onednn',
}

const advice = `${installed[process.platform] ?? 'install oneDNN 3'}, or set PERMAFROST_ONEDNN to the path of libdnnl 2.6, 2.7 or 3`

/**
 * Opens oneDNN: the file that `PERMAFROST_ONEDNN` names, else the system's.
 *
 * @throws OneDnnMissingError with the command that installs it; OneDnnVersionError for a library that is none, or of
 * another version than 2.6, 2.7 or 3, or an incomplete one
 */
export function openOneDnn(environment: NodeJS.ProcessEnv = process.env): Dnnl {
  const wanted = environment['PERMAFROST_ONEDNN']
  const candidates = wanted ? [wanted] : (names[process.platform] ?? [])
  const failures: Failure[] = []
  let unsuitable: OneDnnVersionError | undefined
  for (const path of candidates)
    try {
      const library = tryToOpen(path, failures)
      if (library) return openVersion(library, path)
    } catch (error) {
      if (!(error instanceof OneDnnVersionError)) throw error
      unsuitable ??= error
    }
  if (unsuitable) throw unsuitable
  const found = wanted
    ? `PERMAFROST_ONEDNN names no library that can be opened: ${failuresLine(failures)}`
    : `oneDNN was not found: ${failuresLine(failures)}`
  throw new OneDnnMissingError(found, {}, advice)
}

interface Failure {
  readonly path: string
  readonly reason: string
}

/** @throws OneDnnVersionError for a file that is cut off */
function tryToOpen(path: string, failures: Failure[]): ForeignLibrary | undefined {
  const fault = faultOfFile(path)
  if (fault !== undefined) throw new OneDnnVersionError(`${path} ${fault}`, {}, advice)
  try {
    return openLibrary(path)
  } catch (error) {
    if (error instanceof OneDnnMissingError) throw error
    failures.push({ path, reason: reasonOf(error) })
    return undefined
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^Failed to load shared library: /, '')
}

/** What was tried, those of one reason together. */
function failuresLine(failures: readonly Failure[]): string {
  const reasons = new Set(failures.map(({ reason }) => reason))
  return [...reasons]
    .map((reason) => {
      const paths = failures.filter((failure) => failure.reason === reason).map(({ path }) => path)
      return `${paths.join(', ')}: ${reason}`
    })
    .join('; ')
}

function openVersion(library: ForeignLibrary, path: string): Dnnl {
  const [major, minor, patch] = versionOf(library, path)
  const version = [major, minor, patch].join('.')
  const open = major === 3 ? openVersion3 : major === 2 && minor >= 6 ? openVersion2 : undefined
  if (open === undefined) throw new OneDnnVersionError(`${path} is oneDNN ${version}`, {}, advice)
  try {
    return open(library, version)
  } catch (cause) {
    if (!(cause instanceof OneDnnMissingError || cause instanceof OneDnnError)) throw cause
    throw new OneDnnVersionError(`${path}, oneDNN ${version}, does not serve: ${cause.found}`, {}, advice, {
      cause,
    })
  }
}

function versionOf(library: ForeignLibrary, path: string): readonly [number, number, number] {
  try {
    const version = library.function('const void* dnnl_version()') as unknown as () => bigint
    return readInts(version(), 3) as unknown as readonly [number, number, number]
  } catch (cause) {
    throw new OneDnnVersionError(`${path} is no oneDNN library`, {}, advice, { cause })
  }
}
