import { constants } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { arenaOf } from '../../src/backends/onednn/plan-memory.ts'
import { LimitExceededError } from '../../src/runtime/errors.ts'
import { createSession } from '../../src/runtime/session.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { ModuleSource } from '../support/modules.ts'
import { oneDnn } from '../support/session-graphs.ts'

const source = `
class M(Module):
  __parameters__ = ["w"]
  __buffers__ = []
  w : Tensor
  training : bool
  def forward(self: __torch__.M, x: Tensor, padding: int) -> Tensor:
    y = torch.conv2d(x, self.w, None, [1, 1], [padding, padding])
    z = torch.conv2d(x, self.w, None, [1, 1], [padding, padding])
    return torch.sum(torch.mul(torch.sigmoid(y), z))
`

/** Of one typed array. */
const most = constants.MAX_LENGTH

describe('a plan too large for memory', () => {
  it('is refused with the bytes that it needs', () => {
    expect(() => arenaOf(2 ** 52)).toThrow(LimitExceededError)
    expect(() => arenaOf(2 ** 52)).toThrow(/4503599627370496 bytes/)
  })

  // Where arrays may be larger, such a plan is made and its memory used: no test for a small machine.
  it.skipIf(oneDnn === undefined || most > 2 ** 32)('fails its run, and smaller ones go on', () => {
    const w = Tensor.from('float32', [1, 1, 1, 1], [2])
    const session = createSession(new ModuleSource(source).make('M', { w, training: false }), {
      backend: oneDnn!,
    })
    const x = Tensor.from('float32', [1, 1, 1, 1], [3])
    for (const padding of [14_000, 16_000, 2 ** 30])
      expect(() => session.runSync([x, padding])).toThrow(/bytes/)
    expect(session.explain().plans).toEqual([])
    const [sum] = session.runSync([x, 1]) as [Tensor]
    expect(sum.data[0]).toBeCloseTo(6 / (1 + Math.exp(-6)), 5)
    session.dispose()
  })
})
