import { createSession, load } from '../../../src/node/index.ts'
import type { Session } from '../../../src/runtime/session.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'

/** Bytes that are held at one time. */
export interface Level {
  /** Objects, and the typed arrays behind them. */
  readonly objects: number
  /** The whole process. */
  readonly process: number
}

/** Taken at even distances after a third of the rounds: what comes first warms up. */
export interface Levels {
  readonly runs: readonly Level[]
  readonly sessions: readonly Level[]
}

const edge = 24
const image = Tensor.from(
  'float32',
  [1, 3, edge, edge],
  Array.from({ length: 3 * edge * edge }, (_, i) => Math.sin(i)),
)

const [path = '', backend = '', runs = '', rounds = ''] = process.argv.slice(2)

function open(): Session {
  return createSession(load(path), { backend: backend as 'onednn' | 'reference' })
}

/** Where memory stands ten times in the last two thirds. Turns of the event loop let finalizers run. */
async function levels(count: number, step: () => void): Promise<Level[]> {
  const found: Level[] = []
  for (let i = 1; i <= count; i++) {
    step()
    if (i % Math.ceil(count / 15) !== 0) continue
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      globalThis.gc?.()
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    if (i > count / 3) found.push({ objects: heapUsed + external, process: rss })
  }
  return found
}

const session = open()
const ofRuns = await levels(Number(runs), () => {
  session.runSync([image])
})
session.dispose()
const ofSessions = await levels(Number(rounds), () => {
  const one = open()
  one.runSync([image])
  one.dispose()
})
process.stdout.write(JSON.stringify({ runs: ofRuns, sessions: ofSessions } satisfies Levels))
