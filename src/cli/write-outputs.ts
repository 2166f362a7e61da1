import { writeFilesAtomically, type FileContent } from '../node/files.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof signals)[number]

/** Those that came while files were written; undefined where nobody waits for them. */
let held: Set<Signal> | undefined

/**
 * Writes all of a command's files or none. Signals that end the process end it when they are written: none is left behind
 * under its temporary name.
 *
 * @throws FileError
 */
export function writeOutputs(files: readonly FileContent[]): void {
  holdSignals()
  writeFilesAtomically(files)
}

/** Until the event loop turns, which is when signals are told. */
function holdSignals(): void {
  if (held) return
  held = new Set()
  for (const signal of signals) process.on(signal, hold)
  // Between two of these it has surely turned.
  setImmediate(() => setImmediate(letGo))
}

function hold(signal: Signal): void {
  held?.add(signal)
}

function letGo(): void {
  const came = held ?? []
  held = undefined
  for (const signal of signals) process.off(signal, hold)
  for (const signal of came) if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}
