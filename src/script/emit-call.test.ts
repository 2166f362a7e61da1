import { expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import { UnsupportedOperatorError } from '../ops/errors.ts'
import { runMethod } from '../runtime/module-runner.ts'
import { Tensor } from '../tensor/tensor.ts'

it('does not take a call that fits no overload for another one of the operator', () => {
  const source = new ModuleSource(`class M(Module):
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.squeeze(x, "all", 3)
`)
  const module = source.make('M', {})
  expect(() => runMethod(module, 'forward', [Tensor.zeros('float32', [1, 2])])).toThrow(
    UnsupportedOperatorError,
  )
})
