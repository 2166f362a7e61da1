import { createOneDnnBackend } from '../backends/onednn/onednn-backend.ts'
import { OneDnnMissingError, OneDnnVersionError } from '../backends/onednn/errors.ts'
import { createReferenceBackend } from '../backends/reference/reference-backend.ts'
import { ScriptObject } from '../ir/ivalue.ts'
import type { Backend } from '../runtime/backend.ts'
import { createEnvironment } from '../runtime/environment.ts'
import { UnknownBackendError } from '../runtime/errors.ts'
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
 * @throws UnknownBackendError; InputError for a method that does not exist
 */
export function createSession(
  module: ScriptModule | ScriptObject,
  { backend = 'onednn', ...options }: NodeSessionOptions = {},
): Session {
  const object = module instanceof ScriptObject ? module : module.root
  const environment = options.environment ?? createEnvironment()
  const chosen = typeof backend === 'string' ? openBackend(backend) : { backend }
  if (chosen.fallback !== undefined) environment.warn(chosen.fallback)
  return createCoreSession(object, { ...options, environment, ...chosen })
}

interface Chosen {
  readonly backend: Backend
  readonly fallback?: string
}

const opened = new Map<string, Chosen>()

/** Opened once in a process: the library keeps its compiled kernels. */
function openBackend(name: string): Chosen {
  const known = opened.get(name)
  if (known) return known
  const chosen = tryToOpen(name)
  opened.set(name, chosen)
  return chosen
}

function tryToOpen(name: string): Chosen {
  if (name === 'reference') return { backend: createReferenceBackend() }
  if (name !== 'onednn')
    throw new UnknownBackendError(`there is no backend '${name}'`, {}, `there are ${backendNames.join(', ')}`)
  try {
    return { backend: createOneDnnBackend() }
  } catch (error) {
    if (!(error instanceof OneDnnMissingError || error instanceof OneDnnVersionError)) throw error
    return { backend: createReferenceBackend(), fallback: error.message }
  }
}
