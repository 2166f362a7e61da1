import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import { createSession, type Tensor } from '../../src/node/index.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import { recordedModels } from '../support/recorded-models.ts'

const tolerance = { rtol: 1e-5, atol: 0 }

/** Recorded models of which no operator reads elements to know the shape of its result. */
const whole = ['mobile', 'dimensions', 'vocoder', 'styled-tokens']

describe.each(recordedModels.filter(({ name }) => whole.includes(name.split('.')[0]!)))('$name', (model) => {
  it('is planned whole, and answers as libtorch does', async () => {
    const session = createSession(model.load(), { backend: createReferenceBackend() })
    for (const { arguments: args, outputs } of model.calls()) {
      const [output] = await session.run(args)
      for (const comparison of compareOutputs(outputs, flattenOutputs(output as Tensor), tolerance))
        expect(comparison, comparison.name).toMatchObject({ equal: true })
    }
    expect(session.explain().interpreted).toEqual([])
    session.dispose()
  })
})
