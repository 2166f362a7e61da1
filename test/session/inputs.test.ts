import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import { PermafrostError } from '../../src/errors.ts'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { InputError } from '../../src/runtime/errors.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { createSession, type Session } from '../../src/runtime/session.ts'
import { tensorsIn } from '../../src/runtime/value-tensors.ts'
import { Storage } from '../../src/tensor/storage.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

const source = `
class M(Module):
  __parameters__ = ["w", "v"]
  __buffers__ = []
  w : Tensor
  v : Tensor
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    y = torch.relu(torch.conv2d(x, self.w, None, [1, 1], [1, 1]))
    z = torch.max_pool2d(y, [2, 2], [2, 2])
    m = torch.matmul(torch.mean(z, [2, 3]), self.v)
    return (torch.add(z, 1), torch.softmax(m, 1), torch.sigmoid(m), torch.cat([y, x], 1), torch.hardtanh(m, 0., 6.))
  def both(self: __torch__.M, x: Tensor, y: Tensor) -> Tensor:
    return torch.relu(torch.add(torch.matmul(x, self.v), torch.mul(y, 2)))
`

function makeModule(): ScriptObject {
  return new ModuleSource(source).make('M', {
    w: noise([8, 3, 3, 3], 1),
    v: noise([8, 8], 2),
    training: false,
  })
}

function numbers(tensor: Tensor): number[] {
  return Array.from(contiguousData(tensor), Number)
}

/** Sums in another order, and the library's own exp; of the largest element. */
const tolerance = 1e-5

function expectSame(session: Session, inputs: readonly Tensor[], method = 'forward'): void {
  const wanted = [...tensorsIn(runMethod(makeModule(), method, inputs))]
  for (let run = 0; run < 2; run++) {
    const found = [...tensorsIn(session.runValues(inputs))]
    expect(found.map(({ sizes }) => sizes)).toEqual(wanted.map(({ sizes }) => sizes))
    for (const [i, tensor] of wanted.entries()) expectClose(numbers(found[i] as Tensor), numbers(tensor))
  }
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  const scale = wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1e-3)
  const at = wanted.findIndex(
    (x, i) => !(Object.is(x, found[i]) || Math.abs(x - (found[i] ?? NaN)) <= tolerance * scale),
  )
  expect(at < 0 ? undefined : [found[at], wanted[at]]).toBeUndefined()
}

function errorOf(action: () => unknown): PermafrostError {
  try {
    action()
  } catch (error) {
    if (error instanceof PermafrostError) return error
    throw error
  }
  return expect.fail('nothing was thrown')
}

const size = [2, 3, 6, 6]

/** The same elements as `noise(size, 5)`, lying otherwise. */
const layouts: Readonly<Record<string, () => Tensor>> = {
  'channels last': () => {
    const tensor = noise([2, 6, 6, 3], 5)
    return tensor.asStrided(size, [108, 1, 18, 3], 0)
  },
  'behind others in its memory': () => noise([3, 3, 6, 6], 5).asStrided(size, [108, 36, 6, 1], 108),
  'every second element': () => noise([2, 3, 12, 6], 5).asStrided(size, [216, 72, 12, 1], 0),
  'one image for all of the batch': () => noise([1, 3, 6, 6], 5).asStrided(size, [0, 36, 6, 1], 0),
  'one number everywhere': () => Tensor.from('float32', [1], [0.5]).asStrided(size, [0, 0, 0, 0], 0),
  'windows that overlap': () => noise([200], 5).asStrided(size, [30, 10, 3, 1], 2),
}

describe.each([
  ['reference', createReferenceBackend()],
  ...(oneDnn ? [['onednn', oneDnn] as const] : []),
] as const)('inputs of a session on %s', (_name, backend) => {
  const open = (method = 'forward'): Session => createSession(makeModule(), { backend, method })

  it('may be without rows', () => {
    const session = open()
    for (const batch of [0, 2, 0]) expectSame(session, [noise([batch, 3, 6, 6], 5)])
    session.dispose()
  })

  it.each(Object.entries(layouts))('may lie in memory as they like: %s', (_what, make) => {
    const session = open()
    expectSame(session, [noise(size, 4)])
    expectSame(session, [make()])
    session.dispose()
  })

  it('may share memory', () => {
    const session = open('both')
    const x = noise([8, 8], 5)
    expectSame(session, [x, x], 'both')
    expectSame(session, [x, x.asStrided([8, 8], [1, 8], 0)], 'both')
    expectSame(session, [x, noise([8, 8], 6)], 'both')
    session.dispose()
  })

  it('may be infinite', () => {
    const session = open('both')
    const x = noise([8, 8], 5)
    x.data[3] = Infinity
    x.data[20] = -Infinity
    expectSame(session, [noise([8, 8], 6), x], 'both')
    session.dispose()
  })

  it('that are not numbers spoil their own rows at most', () => {
    const session = open()
    const x = noise(size, 5)
    const clean = [...tensorsIn(session.runValues([noise(size, 5)]))].map(numbers)
    x.data[7] = NaN
    const found = [...tensorsIn(session.runValues([x]))].map(numbers)
    for (const [i, elements] of clean.entries())
      expect(found[i]?.slice(elements.length / 2)).toEqual(elements.slice(elements.length / 2))
    expectSame(session, [noise(size, 5)])
    session.dispose()
  })

  it('of another kind are refused, and the session goes on', () => {
    const session = open()
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      'another dtype': [Tensor.from('int64', [1, 3, 2, 2], new Array(12).fill(1))],
      'another rank': [noise([3], 1)],
      'other channels': [noise([1, 4, 6, 6], 1)],
      'too small': [noise([1, 3, 0, 0], 1)],
      'too few': [],
      'too many': [noise(size, 1), noise(size, 1)],
      'no tensor': [1],
      nothing: [undefined],
      'a typed array': [new Float32Array(108)],
    }
    for (const [what, inputs] of Object.entries(wrong)) {
      const error = errorOf(() => session.runSync(inputs))
      expect(error.found, what).not.toBe('')
      if (inputs.length !== 1 || !(inputs[0] instanceof Tensor))
        expect(error, what).toBeInstanceOf(InputError)
    }
    expect(errorOf(() => session.runSync({ named: { y: noise(size, 1) } }))).toBeInstanceOf(InputError)
    expectSame(session, [noise(size, 5)])
    session.dispose()
  })

  it('whose memory was given away are refused by name, and the session goes on', () => {
    const session = open()
    for (const ranBefore of [false, true]) {
      const buffer = new ArrayBuffer(4 * 216)
      const input = new Tensor(new Storage(new Uint8Array(buffer)), 'float32', size)
      if (ranBefore) session.runSync([input])
      structuredClone(buffer, { transfer: [buffer] })
      const error = errorOf(() => session.runSync([input]))
      expect(error).toBeInstanceOf(InputError)
      expect(error.found).toBe('the memory of an input tensor is gone')
      expect(error.place.argument).toBe('x')
    }
    expectSame(session, [noise(size, 5)])
    session.dispose()
  })

  it('that are given away while their run waits are refused', async () => {
    const session = open()
    const buffer = new ArrayBuffer(4 * 216)
    const run = session.run([new Tensor(new Storage(new Uint8Array(buffer)), 'float32', size)])
    structuredClone(buffer, { transfer: [buffer] })
    await expect(run).rejects.toThrow(InputError)
    session.dispose()
  })

  it('of a size that no memory holds are refused', () => {
    const session = open()
    const one = Tensor.from('float32', [1], [1])
    for (const edge of [2 ** 16, 2 ** 20, 2 ** 24]) {
      const error = errorOf(() => session.runSync([one.asStrided([1, 3, edge, edge], [0, 0, 0, 0], 0)]))
      expect(error.message).toMatch(/bytes/)
    }
    expectSame(session, [noise(size, 5)])
    session.dispose()
  })
})
