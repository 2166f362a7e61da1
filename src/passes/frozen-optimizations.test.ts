import { describe, expect, it } from 'vitest'
import { cascade, noise } from '../../test/support/conv-bn-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { runMethod } from '../runtime/module-runner.ts'
import { Tensor } from '../tensor/tensor.ts'
import { freeze } from './freeze-module.ts'
import { optimizeForInference, runFrozenOptimizations } from './frozen-optimizations.ts'
import { methodOf } from './support/inline-module.ts'

const kindsOf = (module: ScriptObject, method = 'forward'): string[] =>
  [...methodOf(module, method).graph.nodes()]
    .map((node) => node.kind)
    .filter((kind) => kind !== 'prim::Constant')

const source = `
class Heads(Module):
  __parameters__ = ["w", "v", "b", ]
  __buffers__ = []
  w : Tensor
  v : Tensor
  b : Tensor
  training : bool
  def forward(self: __torch__.Heads, x: Tensor) -> Tensor:
    y = torch.linear(torch.dropout(x, 0.5, False), self.w, self.b)
    z = torch.linear(x, self.v, self.b)
    return torch.mul(torch.relu(y), torch.sigmoid(z))
  def scaled(self: __torch__.Heads, x: Tensor) -> Tensor:
    return torch.mul(torch.linear(x, self.w, self.b), 2)
`

const heads = (): ScriptObject =>
  new ModuleSource(source).make('Heads', {
    w: noise([3, 4], 1),
    v: noise([3, 4], 2),
    b: noise([3], 3),
    training: false,
  })

function run(module: ScriptObject, x: Tensor, method = 'forward'): Tensor {
  const result = runMethod(module, method, [x])
  if (result instanceof Tensor) return result
  throw new TypeError('no tensor')
}

function expectClose(got: Tensor, want: Tensor): void {
  expect(got.sizes).toEqual(want.sizes)
  for (let i = 0; i < want.numel; i++) expect(got.data[i]).toBeCloseTo(Number(want.data[i]), 5)
}

describe('runFrozenOptimizations', () => {
  it('folds what a freeze without numerics has left', () => {
    const frozen = freeze(cascade(), { optimizeNumerics: false }).module
    const before = kindsOf(frozen)
    const { module, passes } = runFrozenOptimizations(frozen, { verify: true })
    expect(kindsOf(module)).toEqual(kindsOf(freeze(cascade()).module))
    expect(kindsOf(frozen)).toEqual(before)
    expect(passes.find(({ name }) => name === 'fold-conv-batch-norm')).toMatchObject({ method: 'forward' })
    const x = noise([1, 3, 8, 8], 4)
    expectClose(run(module, x), run(frozen, x))
  })

  it('removes dropout and nothing else when results must stay the same to the last bit', () => {
    const frozen = freeze(heads(), {
      preserved: ['scaled'],
      optimizeNumerics: false,
      skip: ['remove-dropout'],
    })
    const { module } = runFrozenOptimizations(frozen.module, {
      optimizeNumerics: false,
      preservedMethods: ['scaled'],
    })
    expect(kindsOf(frozen.module)).toContain('aten::dropout')
    expect(kindsOf(module)).not.toContain('aten::dropout')
    expect(kindsOf(module, 'scaled')).toEqual(['aten::linear', 'aten::mul'])
  })

  it('optimises the preserved methods that are named', () => {
    const frozen = freeze(heads(), { preserved: ['scaled'], optimizeNumerics: false }).module
    expect(kindsOf(runFrozenOptimizations(frozen).module, 'scaled')).toContain('aten::mul')
    const { module } = runFrozenOptimizations(frozen, { preservedMethods: ['scaled'] })
    expect(kindsOf(module, 'scaled')).toEqual(['aten::linear'])
    expect(() => runFrozenOptimizations(frozen, { preservedMethods: ['squared'] })).toThrow(
      "the module has no method 'squared'",
    )
  })
})

describe('optimizeForInference', () => {
  it('joins parallel linear layers and transposes weights, with the same result', () => {
    const { module, report } = optimizeForInference(heads(), { preserved: ['scaled'], verify: true })
    expect(kindsOf(module).filter((kind) => kind === 'aten::matmul')).toHaveLength(1)
    expect(kindsOf(module)).not.toContain('aten::linear')
    expect(kindsOf(module, 'scaled')).toEqual(['aten::matmul', 'aten::add'])
    expect(report.passes.map(({ name }) => name)).toContain('concat-linears')
    const x = noise([5, 4], 7)
    for (const method of ['forward', 'scaled']) expectClose(run(module, x, method), run(heads(), x, method))
  })
})
