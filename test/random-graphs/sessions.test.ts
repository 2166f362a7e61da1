import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import type { Backend } from '../../src/runtime/backend.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { createSession, type Session } from '../../src/runtime/session.ts'
import { oneDnn } from '../support/session-graphs.ts'
import { generateProgram } from './generate.ts'
import { moduleFactory, sourceOf } from './model.ts'
import { boundedEnvironment, firstDifference, isOurs, isWild, runCalls, type Call } from './outcome.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1)
const count = Number(process.env['FUZZ_SESSIONS'] ?? 150)

/** Relative to the largest element: freezing folds, and sums are taken in another order. */
const tolerance = 1e-3

/** Calls of one module through one session per method: what is printed goes where the current call wants it. */
function throughSessions(module: ScriptObject, backend: Backend): { call: Call; dispose: () => void } {
  const sessions = new Map<string, Session>()
  let printTo: (text: string) => void = () => undefined
  const environment = boundedEnvironment((text) => printTo(text))
  return {
    call: (method, args, print) => {
      printTo = print
      const known = sessions.get(method) ?? createSession(module, { backend, method, environment })
      sessions.set(method, known)
      return known.runValues(args)
    },
    dispose: () => {
      for (const session of sessions.values()) session.dispose()
    },
  }
}

/** Undefined where the program is no test: it fails by itself, or its numbers are so large that rounding shows. */
function differenceOf(seed: number, backend: Backend): string | undefined {
  const program = generateProgram(seed)
  const make = moduleFactory(program)
  const methods = ['forward', 'forward']
  let expected
  try {
    const module = make()
    expected = runCalls({
      methods,
      call: (method, args, print) => runMethod(module, method, args, boundedEnvironment(print)),
    })
  } catch (error) {
    if (isOurs(error)) return undefined
    throw error
  }
  if (isWild(expected)) return undefined
  const { call, dispose } = throughSessions(make(), backend)
  try {
    return firstDifference(expected, runCalls({ methods, call }), tolerance)
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } finally {
    dispose()
  }
}

describe.each([
  ['reference', createReferenceBackend()],
  ...(oneDnn ? [['onednn', oneDnn] as const] : []),
] as const)('random programs in sessions on %s', (_name, backend) => {
  it(
    'do what they do in the interpreter',
    () => {
      for (let seed = firstSeed; seed < firstSeed + count; seed++) {
        const difference = differenceOf(seed, backend)
        if (difference === undefined) continue
        expect.fail(`seed ${seed}: ${difference}\n${sourceOf(generateProgram(seed))}`)
      }
    },
    count * 1000,
  )
})
