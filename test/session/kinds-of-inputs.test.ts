import { describe, expect, it } from 'vitest'
import { createReferenceBackend } from '../../src/backends/reference/reference-backend.ts'
import { Device, Double, EnumValue, type ScriptObject } from '../../src/ir/ivalue.ts'
import { IntT } from '../../src/ir/types.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { createEnvironment } from '../../src/runtime/environment.ts'
import { createSession } from '../../src/runtime/session.ts'
import { signatureOf } from '../../src/runtime/signature.ts'
import { Storage } from '../../src/tensor/storage.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { convertLayout } from '../../src/tensor/convert-layout.ts'
import { parseLayout } from '../../src/tensor/layout.ts'
import { noise } from '../support/conv-bn-models.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

/** Of a method written down, with a weight of 8 × 8 × 3 × 3. */
function moduleOf(forward: string): ScriptObject {
  const head =
    'class M(Module):\n  __parameters__ = ["w"]\n  __buffers__ = []\n  w : Tensor\n  training : bool\n'
  return new ModuleSource(`${head}  def forward(self: __torch__.M, ${forward}`).make('M', {
    w: noise([8, 8, 3, 3], 1),
    training: false,
  })
}

const pair = (): Tensor => Tensor.from('float32', [2], [1, 2])

function numbers(result: readonly unknown[]): number[] {
  return Array.from(contiguousData(result[0] as Tensor), Number)
}

const timesTenIf = (parameter: string, condition: string): string => `x: Tensor, ${parameter}) -> Tensor:
    if ${condition}:
      y = torch.mul(x, 10)
    else:
      y = torch.add(x, 1)
    return y
`

describe.each([
  ['reference', createReferenceBackend()],
  ...(oneDnn ? [['onednn', oneDnn] as const] : []),
] as const)('a plan on %s is for one kind of inputs', (_name, backend) => {
  it('and one device', () => {
    const session = createSession(moduleOf(timesTenIf('d: Device', 'torch.eq(d, torch.device("cpu"))')), {
      backend,
    })
    for (const [device, wanted] of [
      ['cpu', [10, 20]],
      ['cuda:0', [2, 3]],
      ['cpu', [10, 20]],
    ] as const)
      expect(numbers(session.runSync([pair(), device]))).toEqual(wanted)
  })

  it('and tells one tensor given twice from two that are alike', () => {
    const session = createSession(moduleOf(timesTenIf('y: Tensor', 'torch.__is__(x, y)')), { backend })
    const x = pair()
    expect(numbers(session.runSync([x, x]))).toEqual([10, 20])
    expect(numbers(session.runSync([x, pair()]))).toEqual([2, 3])
    expect(numbers(session.runSync([x, x]))).toEqual([10, 20])
  })

  it('and tells tensors that want gradients from others', () => {
    const session = createSession(moduleOf(timesTenIf('b: bool', 'ops.prim.requires_grad(x)')), { backend })
    const wanting = new Tensor(pair().storage, 'float32', [2], { requiresGrad: true })
    expect(numbers(session.runSync([pair(), true]))).toEqual([2, 3])
    expect(numbers(session.runSync([wanting, true]))).toEqual([10, 20])
    expect(numbers(session.runSync([pair(), true]))).toEqual([2, 3])
  })

  it.each([[undefined], [null], [5], ['abc'], [pair()]])('and refuses %s for a list of inputs', (inputs) => {
    const session = createSession(moduleOf('x: Tensor) -> Tensor:\n    return torch.relu(x)\n'), { backend })
    expect(() => session.runSync(inputs as never)).toThrow(/the inputs are .*[^]*run\(\[x\]\)/)
  })

  it('and takes tensors in blocked layouts', () => {
    const session = createSession(moduleOf('x: Tensor) -> Tensor:\n    return torch.relu(x)\n'), { backend })
    const x = noise([1, 3, 2, 2], 5)
    const wanted = numbers(session.runSync([x]))
    expect(numbers(session.runSync([convertLayout(x, parseLayout('nChw8c'))]))).toEqual(wanted)
  })

  it.each([
    ['a storage too short', [1, 3, 2000, 2000], [12000000, 4000000, 2000, 1], 0],
    ['an offset beyond the storage', [2], [1], 3],
    ['strides beyond the storage', [2], [4], 0],
    ['a negative stride', [2], [-1], 1],
    ['a size that is no whole number', [1.5], [1], 0],
    ['a negative size', [-1], [1], 0],
  ])('and refuses %s', (_what, sizes, strides, storageOffset) => {
    const session = createSession(moduleOf('x: Tensor) -> Tensor:\n    return torch.relu(x)\n'), { backend })
    const tensor = new Tensor(Storage.ofLength(16), 'float32', sizes, { strides, storageOffset })
    expect(() => session.runSync([tensor])).toThrow(/bytes|whole numbers|size/)
  })
})

describe('signatures', () => {
  it('tell values apart that may decide something', () => {
    const color = (name: string): EnumValue =>
      new EnumValue(
        { kind: 'Enum', name: '__torch__.Color', valueType: IntT, members: new Map() } as never,
        name,
        1,
      )
    const values = [
      [new Device('cpu'), new Device('cuda', 0)],
      [color('RED'), color('GREEN')],
      [new Double(0), new Double(-0)],
      [1, new Double(1)],
    ] as const
    for (const [a, b] of values) expect(signatureOf(a)).not.toBe(signatureOf(b))
  })
})

describe.skipIf(oneDnn === undefined)('parts between nodes that no plan holds', () => {
  it('look again at the memory of inputs, which somebody may have given away meanwhile', () => {
    const tensor = Tensor.from('float32', [1, 8, 6, 6], noise([1, 8, 6, 6], 3).data as Float32Array)
    const { buffer } = tensor.storage.bytes
    const giveAway = (): void => void structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    const session = createSession(
      moduleOf(`x: Tensor) -> Tensor:
    y = torch.conv2d(x, self.w)
    print("between")
    return torch.add(torch.conv2d(torch.neg(x), self.w), y)
`),
      { backend: oneDnn!, environment: createEnvironment({ print: giveAway }) },
    )
    expect(() => session.runSync([tensor])).toThrow(/the memory of an input tensor is gone/)
  })

  const branches = `x: Tensor) -> Tensor:
    if torch.gt(float(torch.sum(x)), 0.):
      y = torch.conv2d(x, self.w)
    else:
      y = torch.conv2d(torch.neg(x), self.w)
    return torch.relu(y)
`
  it('hold their weights packed', () => {
    const session = createSession(moduleOf(branches), { backend: oneDnn! })
    session.runSync([noise([1, 8, 6, 6], 3)])
    const { plans } = session.explain()
    expect(plans.reduce((sum, { constantBytes }) => sum + constantBytes, 0)).toBeGreaterThan(
      4 * 8 * 8 * 9 - 1,
    )
    expect(plans.map(({ inputs }) => inputs)).not.toContainEqual(expect.stringContaining('8x8x3x3'))
  })

  it('are not planned anew for every number of an iteration', () => {
    const session = createSession(
      moduleOf(`x: Tensor, n: int) -> Tensor:
    y = x
    i = 0
    more = True
    for _ in range(1000):
      if torch.__and__(torch.lt(i, n), torch.gt(float(torch.sum(y)), -1000.)):
        y = torch.tanh(y)
        i = torch.add(i, 1)
      else:
        i = i
    return y
`),
      { backend: oneDnn! },
    )
    session.runSync([pair(), 40])
    expect(session.explain().plans.length).toBeLessThan(5)
  })

  it('are not planned anew for every number that the data gives', () => {
    const scaled = moduleOf(`x: Tensor) -> Tensor:
    k = float(torch.max(x))
    return torch.relu(torch.conv2d(torch.div(x, k), self.w))
`)
    const session = createSession(scaled, { backend: oneDnn! })
    const wanted = createSession(scaled, { backend: createReferenceBackend() })
    for (let seed = 1; seed <= 12; seed++) {
      const x = noise([1, 8, 6, 6], seed)
      const [found, expected] = [session, wanted].map((one) => numbers(one.runSync([x])))
      for (const [i, value] of expected!.entries()) expect(found![i]).toBeCloseTo(value, 4)
    }
    expect(session.explain().plans.length).toBeLessThan(6)
  })
})
