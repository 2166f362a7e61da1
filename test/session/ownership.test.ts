import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import { Double, type ScriptObject } from '../../src/ir/ivalue.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { toPlain } from '../../src/runtime/plain-value.ts'
import { createSession } from '../../src/runtime/session.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

/** A module with one weight, [[1, 2], [3, 4]], and the given method. */
function moduleOf(forward: string): ScriptObject {
  const source = `
class M(Module):
  __parameters__ = ["w"]
  __buffers__ = []
  w : Tensor
  training : bool
  def forward(self: __torch__.M, ${forward}`
  return new ModuleSource(source).make('M', { w: square(1, 2, 3, 4), training: false })
}

function square(...elements: readonly number[]): Tensor {
  return Tensor.from('float32', [2, 2], elements)
}

/** Elements of every tensor, in nested arrays as they came. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) return Array.from(contiguousData(value), Number)
  return Array.isArray(value) ? value.map(plain) : value
}

function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value]
  return Array.isArray(value) ? value.flatMap(tensorsOf) : []
}

const constants: Readonly<Record<string, string>> = {
  'a weight': `x: Tensor) -> Tensor:
    return self.w
`,
  'a look at a weight': `x: Tensor) -> Tuple[Tensor, Tensor]:
    return (torch.select(torch.t(self.w), 0, 1), torch.relu(x))
`,
  'what is made of constants alone': `x: Tensor) -> Tuple[Tensor, Tensor]:
    return (torch.mul(torch.ones([2, 2]), 3), torch.relu(x))
`,
  'a list of weights': `x: Tensor) -> List[Tensor]:
    return [self.w, torch.add(x, self.w)]
`,
  'a weight behind a node that is not planned': `x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.nonzero(x)
    return (self.w, y)
`,
}

describe.each([
  ['reference', createReferenceBackend()],
  ...(oneDnn ? [['onednn', oneDnn] as const] : []),
] as const)('answers of a session on %s', (_name, backend) => {
  it.each(Object.entries(constants))('are the caller’s to write to: %s', (_what, forward) => {
    const session = createSession(moduleOf(forward), { backend })
    const first = session.runSync([square(1, 2, 3, 4)])
    const wanted = plain(first)
    for (const tensor of tensorsOf(first))
      tensor.data.fill(tensor.dtype === 'int64' ? (9n as never) : (9 as never))
    expect(plain(session.runSync([square(1, 2, 3, 4)]))).toEqual(wanted)
    session.dispose()
  })

  it('keep what they were when the session runs again', () => {
    const session = createSession(
      moduleOf('x: Tensor) -> Tensor:\n    return torch.relu(torch.add(x, self.w))\n'),
      {
        backend,
      },
    )
    const [first] = session.runSync([square(1, 1, 1, 1)])
    session.runSync([square(5, 5, 5, 5)])
    expect(plain(first)).toEqual([2, 3, 4, 5])
    session.dispose()
  })

  it('are the input itself, or a look at it, where the model returns that', () => {
    const session = createSession(
      moduleOf('x: Tensor) -> Tuple[Tensor, Tensor]:\n    return (x, torch.select(x, 0, 1))\n'),
      {
        backend,
      },
    )
    const input = square(1, 2, 3, 4)
    const [same, row] = session.runSync([input]) as [Tensor, Tensor]
    input.data[3] = 7
    expect([plain(same), plain(row)]).toEqual([
      [1, 2, 3, 7],
      [3, 7],
    ])
    session.dispose()
  })

  const behaves: Readonly<Record<string, readonly [forward: string, inputs: () => unknown[]]>> = {
    'writes to a tensor made of constants': [
      `x: Tensor) -> Tensor:
    y = torch.ones([2, 2])
    z = torch.nonzero(x)
    return torch.mul_(y, 0.5)
`,
      () => [square(1, 2, 3, 4)],
    ],
    'appends to one of two names of a list': [
      `x: Tensor, k: int) -> Tuple[List[Tensor], List[Tensor]]:
    y = torch.relu(x)
    a = [y]
    if torch.gt(k, 0):
      b = a
    else:
      b = [x, x]
    print(1)
    _0 = torch.append(b, x)
    return (a, b)
`,
      () => [square(1, -2, 3, 4), 1],
    ],
    'appends to a list from outside': [
      `x: List[Tensor], k: int) -> Tuple[List[Tensor], List[Tensor]]:
    y = torch.relu(x[0])
    if torch.gt(k, 0):
      b = x
    else:
      b = [y, y]
    print(1)
    _0 = torch.append(b, y)
    return (x, b)
`,
      () => [[square(1, -2, 3, 4)], 1],
    ],
    'writes to its input': [
      `x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.relu(x)
    z = torch.mul_(x, 2)
    return (torch.add(y, z), x)
`,
      () => [square(1, -2, 3, 4)],
    ],
    'writes to one of two inputs that are one tensor': [
      `x: Tensor, y: Tensor) -> Tuple[Tensor, Tensor]:
    z = torch.mul_(torch.select(x, 0, 0), 2)
    return (torch.add(x, y), torch.relu(y))
`,
      () => {
        const both = square(1, -2, 3, 4)
        return [both, both]
      },
    ],
    'tells how its input lies in memory': [
      `x: Tensor) -> Tuple[int, bool, Tensor]:
    return (torch.stride(x, 0), torch.is_contiguous(x), torch.as_strided(x, [4], [1], 0))
`,
      () => [square(1, 2, 3, 4).asStrided([2, 2], [1, 2], 0)],
    ],
  }

  it.each(Object.entries(behaves))(
    'are the interpreter’s, run after run, of a model that %s',
    (_what, [forward, inputs]) => {
      const session = createSession(moduleOf(forward), { backend })
      for (let run = 0; run < 3; run++) {
        const [expected, found] = [inputs(), inputs()]
        const wanted = plain(toPlain(runMethod(moduleOf(forward), 'forward', expected)))
        expect(plain(toPlain(session.runValues(found)))).toEqual(wanted)
        expect(plain(found)).toEqual(plain(expected))
      }
      session.dispose()
    },
  )

  it('follow a constant of the graph that the model writes to', () => {
    const forward = `x: Tensor) -> Tensor:
    c = CONSTANTS.c0
    y = torch.add(x, c)
    z = torch.add_(c, 1)
    return torch.mul(y, 1)
`
    const source = `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.M, ${forward}`
    const make = (): ScriptObject =>
      new ModuleSource(source, 10, [Tensor.from('float32', [], [10])]).make('M', { training: false })
    const [wanted, session] = [make(), createSession(make(), { backend })]
    for (let run = 0; run < 3; run++)
      expect(plain(session.runSync([square(1, 2, 3, 4)]))).toEqual([
        plain(runMethod(wanted, 'forward', [square(1, 2, 3, 4)])),
      ])
    session.dispose()
  })

  it('come from numbers, lists and text as they are', () => {
    const session = createSession(
      moduleOf(
        'x: Tensor, k: float) -> Tuple[float, List[int], str]:\n    return (k, torch.size(x), "text")\n',
      ),
      { backend },
    )
    expect(session.runSync([square(1, 2, 3, 4), new Double(1.5)])).toEqual([1.5, [2, 2], 'text'])
    session.dispose()
  })
})
