import type { Dnnl } from './dnnl.ts'
import { OneDnnMissingError, OneDnnVersionError } from './errors.ts'
import { openLibrary, readInts, type ForeignLibrary } from './foreign-library.ts'
import { openVersion2 } from './version2.ts'

const names: Readonly<Record<string, readonly string[]>> = {
  linux: ['libdnnl.so.2', 'libdnnl.so.3', 'libdnnl.so'],
  darwin: ['libdnnl.2.dylib', 'libdnnl.3.dylib', 'libdnnl.dylib', '/opt/homebrew/lib/libdnnl.dylib'],
  win32: ['dnnl.dll'],
}

const advice: Readonly<Record<string, string>> = {
  linux: 'apt-get install libdnnl2 (Debian, Ubuntu) or conda install -c conda-forge onednn',
  darwin: 'brew install onednn',
  win32: 'conda install -c conda-forge onednn',
}

/**
 * Opens oneDNN: the file that `PERMAFROST_ONEDNN` names, else the system's.
 *
 * @throws OneDnnMissingError with the command that installs it; OneDnnVersionError for a library that is none, or of
 * another major version than 2
 */
export function openOneDnn(environment: NodeJS.ProcessEnv = process.env): Dnnl {
  const wanted = environment['PERMAFROST_ONEDNN']
  const candidates = wanted ? [wanted] : (names[process.platform] ?? [])
  const failures: string[] = []
  for (const path of candidates) {
    const library = tryToOpen(path, failures)
    if (library) return openVersion(library, path)
  }
  throw new OneDnnMissingError(
    `oneDNN was not found: ${failures.join('; ')}`,
    {},
    wanted
      ? 'PERMAFROST_ONEDNN must be the path of libdnnl'
      : `${advice[process.platform] ?? 'install libdnnl'}, or set PERMAFROST_ONEDNN to its path`,
  )
}

function tryToOpen(path: string, failures: string[]): ForeignLibrary | undefined {
  try {
    return openLibrary(path)
  } catch (error) {
    if (error instanceof OneDnnMissingError) throw error
    failures.push(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function openVersion(library: ForeignLibrary, path: string): Dnnl {
  const [major, minor, patch] = versionOf(library, path)
  const version = [major, minor, patch].join('.')
  if (major === 2 && minor >= 6) return openVersion2(library, version)
  throw new OneDnnVersionError(
    `${path} is oneDNN ${version}`,
    {},
    'install version 2.6 or 2.7, or set PERMAFROST_ONEDNN to one',
  )
}

function versionOf(library: ForeignLibrary, path: string): readonly [number, number, number] {
  try {
    const version = library.function('const void* dnnl_version()') as unknown as () => bigint
    return readInts(version(), 3) as unknown as readonly [number, number, number]
  } catch (cause) {
    throw new OneDnnVersionError(`${path} is no oneDNN library`, {}, 'set PERMAFROST_ONEDNN to libdnnl', {
      cause,
    })
  }
}
