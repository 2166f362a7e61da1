import { describe, expect, it } from 'vitest'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import { load, createSession, Tensor, runMethod } from '../../src/node/index.ts'
import { SessionDisposedError } from '../../src/runtime/errors.ts'
import { tensorsIn } from '../../src/runtime/value-tensors.ts'

const model = (): ReturnType<typeof load> => load('test/fixtures/models/cascade.pt')

function image(edge: number, seed = 1): Tensor {
  let state = seed
  const next = (): number => ((state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff) * 2 - 1
  return Tensor.from('float32', [1, 3, edge, edge], Array.from({ length: 3 * edge * edge }, next))
}

const hasOneDnn = ((): boolean => {
  try {
    openOneDnn()
    return true
  } catch {
    return false
  }
})()

/** Sums over 3 × 3 × 16 products in float32, in another order. */
const tolerance = 1e-5

function expectClose(actual: unknown, expected: Tensor): void {
  expect(actual).toBeInstanceOf(Tensor)
  const tensor = actual as Tensor
  expect(tensor.sizes).toEqual(expected.sizes)
  const scale = Math.max(...Array.from(expected.data as Float32Array, Math.abs))
  const worst = Math.max(
    ...Array.from(tensor.data as Float32Array, (x, i) => Math.abs(x - Number(expected.data[i]))),
  )
  expect(worst / scale).toBeLessThan(tolerance)
}

describe.each([
  ['reference', createReferenceBackend()],
  ...(hasOneDnn ? [['onednn', 'onednn'] as const] : []),
] as const)('a session on %s', (_name, backend) => {
  it('answers as the interpreter does, for every size it meets', async () => {
    const session = createSession(model(), { backend })
    for (const edge of [32, 40, 32]) {
      const [expected] = tensorsIn(runMethod(model().root, 'forward', [image(edge)]))
      const [actual] = await session.run([image(edge)])
      expectClose(actual, expected!)
    }
    expect(session.explain().plans).toHaveLength(2)
    session.dispose()
  })

  it('answers calls that overlap, each with its own result', async () => {
    const session = createSession(model(), { backend })
    const results = await Promise.all([1, 2, 3].map((seed) => session.run([image(32, seed)])))
    for (const [i, [result]] of results.entries()) {
      const [expected] = tensorsIn(runMethod(model().root, 'forward', [image(32, i + 1)]))
      expectClose(result, expected!)
    }
    session.dispose()
  })

  it('refuses to run once it was disposed of', async () => {
    const session = createSession(model(), { backend })
    session.dispose()
    await expect(session.run([image(32)])).rejects.toThrow(SessionDisposedError)
  })
})
