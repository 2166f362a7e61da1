import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { createEnvironment } from '../../src/runtime/environment.ts'
import { InputError, LimitExceededError, SessionDisposedError } from '../../src/runtime/errors.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { createSession, type Session } from '../../src/runtime/session.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

const convolution = `
class M(Module):
  __parameters__ = ["w"]
  __buffers__ = []
  w : Tensor
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    y = torch.relu(torch.conv2d(x, self.w, None, [1, 1], [1, 1]))
    return torch.add(torch.max_pool2d(y, [2, 2], [2, 2]), 1)
`

function makeModule(seed = 1): ScriptObject {
  return new ModuleSource(convolution).make('M', { w: noise([8, 3, 3, 3], seed), training: false })
}

/** Of a method written down, without attributes. */
function moduleOf(forward: string): ScriptObject {
  const head = 'class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n'
  return new ModuleSource(`${head}  def forward(self: __torch__.M, ${forward}`).make('M', { training: false })
}

/** Sums over 27 products in another order; of the largest element. */
const tolerance = 1e-5

function expectAnswer(found: readonly unknown[] | undefined, module: ScriptObject, input: Tensor): void {
  const wanted = contiguousData(runMethod(module, 'forward', [input]) as Tensor) as Float32Array
  const actual = contiguousData(found?.[0] as Tensor) as Float32Array
  expect(actual.length).toBe(wanted.length)
  const scale = Math.max(...wanted.map(Math.abs))
  for (const [i, x] of wanted.entries())
    expect(Math.abs(x - (actual[i] ?? NaN))).toBeLessThan(tolerance * scale)
}

describe.each([
  ['reference', createReferenceBackend()],
  ...(oneDnn ? [['onednn', oneDnn] as const] : []),
] as const)('a session on %s', (_name, backend) => {
  const open = (module: ScriptObject, threads = 1): Session => createSession(module, { backend, threads })

  it('answers many calls that overlap, of shapes old and new, each with its own result', async () => {
    const session = createSession(makeModule(), { backend, plans: 2 })
    const inputs = Array.from({ length: 40 }, (_, i) => noise([1 + (i % 2), 3, 6 + (i % 5), 8], i))
    const results = await Promise.all(inputs.map((input) => session.run([input])))
    inputs.forEach((input, i) => expectAnswer(results[i], makeModule(), input))
    expect(session.explain().plans).toHaveLength(2)
    session.dispose()
  })

  it('goes on after a call that fails among others', async () => {
    const session = open(makeModule())
    const input = noise([1, 3, 8, 8], 1)
    const results = await Promise.allSettled([
      session.run([input]),
      session.run([noise([1, 2, 8, 8], 1)]),
      session.run(['text']),
      session.run([input]),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    for (const i of [0, 3])
      expectAnswer((results[i] as { value: readonly unknown[] }).value, makeModule(), input)
    session.dispose()
  })

  it('refuses to run once it was disposed of, in whatever way', async () => {
    const session = open(makeModule())
    session.runSync([noise([1, 3, 8, 8], 1)])
    session.dispose()
    session.dispose()
    await expect(session.run([noise([1, 3, 8, 8], 1)])).rejects.toThrow(SessionDisposedError)
    expect(() => session.runSync([noise([1, 3, 8, 8], 1)])).toThrow(SessionDisposedError)
    expect(session.explain().plans).toEqual([])
  })

  it('answers what runs and refuses what waits when it is disposed of', async () => {
    const session = open(makeModule())
    const input = noise([1, 3, 8, 8], 1)
    const done = await session.run([input])
    const waiting = [session.run([input]), session.run([input])]
    session.dispose()
    const results = await Promise.allSettled(waiting)
    for (const result of results) {
      expect(result.status).toBe('rejected')
      expect((result as { reason: unknown }).reason).toBeInstanceOf(SessionDisposedError)
    }
    expectAnswer(done, makeModule(), input)
  })

  it.each([
    ['prints', 'print'],
    ['warns', 'warn'],
  ] as const)('can be disposed of from within a run, where the model %s', (_what, tells) => {
    const say = tells === 'print' ? 'print(1)' : 'torch.warn("beware", 1)'
    const module = moduleOf(`x: Tensor) -> Tensor:
    y = torch.relu(x)
    ${say}
    return torch.add(y, torch.relu(torch.neg(x)))
`)
    let opened: Session | undefined
    const environment = createEnvironment({ [tells]: () => opened?.dispose() })
    const session = (opened = createSession(module, { backend, environment }))
    expect(() => session.runSync([noise([2, 2], 1)])).toThrow(SessionDisposedError)
    expect(session.explain().plans).toEqual([])
  })

  it('may be called from within a run', () => {
    const module = moduleOf(`x: Tensor) -> Tensor:
    y = torch.relu(x)
    print(1)
    return torch.add(y, 1)
`)
    const inner: unknown[] = []
    let isInner = false
    let opened: Session | undefined
    const print = (): void => {
      if (isInner) return
      isInner = true
      inner.push(...(opened?.runSync([Tensor.from('float32', [1], [5])]) ?? []))
    }
    const session = (opened = createSession(module, { backend, environment: createEnvironment({ print }) }))
    const [outer] = session.runSync([Tensor.from('float32', [1], [2])]) as [Tensor]
    expect([outer.data[0], (inner[0] as Tensor).data[0]]).toEqual([3, 6])
    session.dispose()
  })

  it('shares a module, and the backend, with others of other numbers of threads', async () => {
    const [module, other] = [makeModule(1), makeModule(2)]
    const sessions = [open(module, 1), open(module, 2), open(other, 2)] as const
    const input = noise([2, 3, 12, 12], 3)
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(sessions.map((session) => session.run([input])))
      for (const [i, result] of results.entries()) expectAnswer(result, i < 2 ? module : other, input)
    }
    sessions[0].dispose()
    expectAnswer(sessions[1].runSync([input]), module, input)
    expectAnswer(sessions[2].runSync([input]), other, input)
    sessions[1].dispose()
    sessions[2].dispose()
  })

  it('keeps to its limits while it plans, too', () => {
    const module = moduleOf(`x: Tensor) -> Tensor:
    i = 0
    while torch.ge(i, 0):
      i = torch.add(i, 1)
    return torch.add(torch.relu(x), i)
`)
    const environment = createEnvironment({ limits: { steps: 10_000 } })
    const session = createSession(module, { backend, environment })
    expect(() => session.runSync([noise([2, 2], 1)])).toThrow(LimitExceededError)
    session.dispose()
  })

  it.each([0, -1, 1.5, NaN, Infinity, 1e6])('refuses %d threads', (threads) => {
    expect(() => open(makeModule(), threads)).toThrow(InputError)
  })

  it('refuses a method that does not exist, and names those that do', () => {
    expect(() => createSession(makeModule(), { backend, method: 'predict' })).toThrow(
      /no method 'predict'[^]*forward/,
    )
  })
})
