import { backendNames, createSession } from '../node/session.ts'
import { createEnvironment } from '../runtime/environment.ts'
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

/** @throws UsageError for a number of threads that is no whole number */
export function openSession(
  args: Arguments,
  model: ScriptModule,
  backend: BackendName,
  method: string,
  message: (text: string) => void,
): Session {
  const threads = args.number('threads', 1) ?? 1
  if (!Number.isInteger(threads)) throw new UsageError('--threads takes a whole number')
  return createSession(model, {
    backend,
    method,
    threads,
    tune: args.flag('tune'),
    environment: createEnvironment({
      warn: (text) => message(`warning: ${text}`),
      print: (text) => message(text.trimEnd()),
    }),
  })
}
