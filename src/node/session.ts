import { createOneDnnBackend, OneDnnBackend } from '../backends/onednn/onednn-backend.ts'
import { OneDnnMissingError, OneDnnVersionError } from '../backends/onednn/binding/errors.ts'
import { createReferenceBackend } from '../backends/reference/reference-backend.ts'
import type { Dnnl } from '../backends/onednn/binding/dnnl.ts'
import { openOneDnn } from '../backends/onednn/binding/library.ts'
import type { PermafrostError } from '../errors.ts'
import { ScriptObject } from '../ir/ivalue.ts'
import type { Backend } from '../runtime/backend.ts'
import { createEnvironment } from '../runtime/environment.ts'
import { UnknownBackendError } from '../runtime/errors.ts'
import { checkModule, checkSessionOptions } from '../runtime/session-checks.ts'
import { createSession as createCoreSession, type Session, type SessionOptions } from '../runtime/session.ts'
import type { ScriptModule } from '../script/load-module.ts'

export interface NodeSessionOptions extends Omit<SessionOptions, 'backend' | 'fallback'> {
  /** `onednn` when left out; where that is not installed the next one serves, and `explain` says why. */
  readonly backend?: 'onednn' | 'reference' | Backend
}

/** Names of backends, the fastest first. */
export const backendNames = ['onednn', 'reference'] as const

/**
 * Makes a module ready to run again and again, on the fastest backend that is there or the one that is named.
 *
 * @throws UnknownBackendError; InputError for a method or an option that does not exist, or is not what it must be
 */
export function createSession(
  module: ScriptModule | ScriptObject,
  options: NodeSessionOptions = {},
): Session {
  const object = rootOf(module)
  checkSessionOptions(options)
  const environment = options.environment ?? createEnvironment()
  const { backend = 'onednn' } = options
  const chosen = typeof backend === 'string' ? openBackend(backend) : { backend }
  const extra = module instanceof ScriptObject ? undefined : module.extra
  if (extra && chosen.backend instanceof OneDnnBackend) {
    const mismatch = chosen.backend.usePrepacked(extra)
    if (mismatch !== undefined) environment.warn(`the file's packed weights are packed anew: ${mismatch}`)
  }
  if (chosen.fallback !== undefined) environment.warn(chosen.fallback)
  return createCoreSession(object, { ...options, environment, ...chosen })
}

/** @throws InputError for what is neither a module nor an object of one */
export function rootOf(module: ScriptModule | ScriptObject | null | undefined): ScriptObject {
  const root: unknown = module instanceof ScriptObject ? module : (module?.root ?? module)
  checkModule(root)
  return root
}

interface Chosen {
  readonly backend: Backend
  readonly fallback?: string
}

/** Opened once in a process: the library keeps its compiled kernels. */
let library: Dnnl | OneDnnMissingError | OneDnnVersionError | undefined

function openLibrary(): Dnnl | OneDnnMissingError | OneDnnVersionError {
  try {
    return openOneDnn()
  } catch (error) {
    if (error instanceof OneDnnMissingError || error instanceof OneDnnVersionError) return error
    throw error
  }
}

/** A backend of its own for each session: packed weights go with it. */
function openBackend(name: string): Chosen {
  if (name === 'reference') return { backend: openReference() }
  if (name !== 'onednn')
    throw new UnknownBackendError(`there is no backend '${name}'`, {}, `there are ${backendNames.join(', ')}`)
  library ??= openLibrary()
  if (library instanceof OneDnnMissingError || library instanceof OneDnnVersionError)
    return { backend: openReference(), fallback: lineOf(library) }
  return { backend: createOneDnnBackend(library) }
}

function openReference(): Backend {
  return createReferenceBackend({ now: () => performance.now() })
}

/** What was found and what to do about it, in one line: it stands among other messages. */
function lineOf({ found, advice }: PermafrostError): string {
  return `${found}; ${advice}`
}
