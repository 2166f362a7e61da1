import { describe, expect, it } from 'vitest'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../../src/backends/onednn/onednn-backend.ts'
import { loadBytes, saveBytes } from '../../src/load.ts'
import { freeze, prepack } from '../../src/node/index.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { createSession, type Session } from '../../src/runtime/session.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { recordedModels, type RecordedCall } from '../support/recorded-models.ts'
import { oneDnn } from '../support/session-graphs.ts'

/** float32 sums in another order than libtorch's, and exp and tanh of another library. */
const tolerance = { rtol: 1e-5, atol: 0 }

const readers = recordedModels.filter(({ name }) => name.startsWith('reader.'))

/** The tensors of an answer by path, as the recording has them. */
function tensorsAt(path: string, answer: unknown): (readonly [string, Tensor])[] {
  if (answer instanceof Tensor) return [[path, answer]]
  return Array.isArray(answer) ? answer.flatMap((item, i) => tensorsAt(`${path}.${i}`, item)) : []
}

function expectAnswer(call: RecordedCall, session: Session): void {
  const answer = new Map(tensorsAt('output', session.runSync(call.arguments)))
  const different = compareOutputs(call.outputs, answer, tolerance).filter(({ equal }) => !equal)
  expect(different).toEqual([])
}

/** Where layers and cells ran. */
function placesIn(session: Session): ReadonlySet<string> {
  const steps = session.explain().plans.flatMap((plan) => plan.steps)
  return new Set(steps.filter(({ nodes }) => /lstm|gru|rnn/.test(nodes)).map(({ backend }) => backend))
}

describe.skipIf(oneDnn === undefined).each(readers)('$name', (model) => {
  it('answers as libtorch does, and its layers and cells run on the library', () => {
    const session = createSession(model.load().root, { backend: oneDnn! })
    for (const call of model.calls()) expectAnswer(call, session)
    expect([...placesIn(session)]).toEqual(['onednn'])
    session.dispose()
  })

  it('needs no packing again where a file brings its packed weights along', () => {
    const calls = model.calls()
    const loaded = model.load()
    const frozen = { ...loaded, root: freeze(loaded.root).module }
    const module = loadBytes(saveBytes(prepack(frozen, calls[0]!.arguments)))
    let packed = 0
    const backend = createOneDnnBackend(openOneDnn(), () => packed++)
    expect(backend.usePrepacked(module.extra)).toBeUndefined()
    const session = createSession(module.root, { backend })
    for (const call of calls) expectAnswer(call, session)
    expect(packed).toBe(0)
    session.dispose()
  })
})
