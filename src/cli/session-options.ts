import { backendNames, createSession } from '../node/session.ts'
import { createEnvironment } from '../runtime/environment.ts'
import { mostThreads } from '../runtime/session-checks.ts'
import type { Session } from '../runtime/session.ts'
import type { ScriptModule } from '../script/load-module.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'

/** Options of verbs that run sessions. */
export const sessionOptions = {
  backend: { type: 'string' },
  threads: { type: 'string' },
  tune: { type: 'boolean' },
} as const

export type BackendName = (typeof backendNames)[number]

/** @throws UsageError naming the backends that there are */
export function checkBackend(name: string): BackendName {
  const known = backendNames.find((backend) => backend === name)
  if (known !== undefined) return known
  throw new UsageError(`there is no backend '${name}'`, {}, `there are: ${backendNames.join(', ')}`)
}

/** Threads as given, or 1. @throws UsageError for what is no number of threads */
export function threadsOf(args: Arguments): number {
  const threads = args.number('threads', 1) ?? 1
  if (Number.isInteger(threads) && threads <= mostThreads) return threads
  throw new UsageError(
    `--threads takes a whole number from 1 to ${mostThreads}, not '${args.text('threads') ?? ''}'`,
  )
}

/** @throws UsageError for a number of threads that is none */
export function openSession(
  args: Arguments,
  model: ScriptModule,
  backend: BackendName,
  method: string,
  message: (text: string) => void,
): Session {
  return createSession(model, {
    backend,
    method,
    threads: threadsOf(args),
    tune: args.flag('tune'),
    environment: createEnvironment({
      warn: (text) => message(`warning: ${text}`),
      print: (text) => message(text.trimEnd()),
    }),
  })
}

/** The backend that runs a session: another than was asked for where that one is missing, and why. */
export function servedBy(
  session: Session | undefined,
  asked: BackendName,
): { readonly backend: BackendName; readonly fallback?: string } {
  const { fallback } = session?.explain() ?? {}
  return fallback === undefined ? { backend: asked } : { backend: 'reference', fallback }
}
