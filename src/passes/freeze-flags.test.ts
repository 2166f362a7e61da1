import { describe, expect, it } from 'vitest'
import { cascade } from '../../test/support/conv-bn-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import type { Graph } from '../ir/graph.ts'
import { constantPropagation } from './constant-propagation.ts'
import { eliminateDeadCodePass } from './eliminate-dead-code.ts'
import { foldConvBatchNorm } from './fold-conv-batch-norm.ts'
import { freezeFlags } from './freeze-flags.ts'
import { freezeParams, paramNames } from './freeze-params.ts'
import { runPasses } from './pass-manager.ts'
import { peephole } from './peephole.ts'
import { methodOf } from './support/inline-module.ts'

const kindsOf = (graph: Graph): string[] =>
  [...graph.nodes()].map((node) => node.kind).filter((kind) => kind !== 'prim::Constant')

describe('freezeFlags', () => {
  it('replaces the flag wherever it is read, whatever the module holds', () => {
    const { graph } = freezeFlags(cascade(true), 'forward', 'training', false)
    const conditions = [...graph.nodes('prim::If')].map((node) => node.input().node)
    expect(conditions.filter((node) => node.attribute('value') === false)).toHaveLength(2)
    for (const norm of graph.nodes('aten::batch_norm'))
      expect(norm.input(5).node.attribute('value')).toBe(false)
  })

  it('lets constant propagation remove the branch that is not taken', () => {
    const { graph } = freezeFlags(cascade(true), 'forward', 'training', false)
    runPasses(graph, [constantPropagation, eliminateDeadCodePass], { verify: true })
    expect(kindsOf(graph)).not.toContain('aten::add_')
  })

  it('leaves only the network when all parameters are frozen as well, and folding leaves its convolutions', () => {
    let { module } = freezeFlags(cascade(true), 'forward', 'training', false)
    for (const name of paramNames) module = freezeParams(module, 'forward', name).module
    const { graph } = methodOf(module, 'forward')
    runPasses(graph, [peephole, constantPropagation, eliminateDeadCodePass], { verify: true })
    const block = ['aten::conv2d', 'aten::batch_norm', 'aten::relu']
    expect(kindsOf(graph)).toEqual([...block, ...block])
    runPasses(graph, [foldConvBatchNorm], { verify: true })
    expect(kindsOf(graph)).toEqual(['aten::conv2d', 'aten::relu', 'aten::conv2d', 'aten::relu'])
  })

  it('takes a flag that reaches a condition over bool operators, and leaves one that does not', () => {
    const source = new ModuleSource(`
class M(Module):
  __parameters__ = []
  __buffers__ = []
  fast : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    if torch.__not__(self.fast):
      x0 = torch.neg(x)
    else:
      x0 = x
    return x0
class N(Module):
  __parameters__ = []
  __buffers__ = []
  fast : bool
  def forward(self: __torch__.N, x: Tensor) -> Tensor:
    return torch.dropout(x, 0.5, self.fast)
`)
    const feeding = freezeFlags(source.make('M', { fast: false }), 'forward', 'fast', true)
    expect(feeding.report.entries).toMatchObject([{ path: 'fast', status: 'frozen' }])
    const other = freezeFlags(source.make('N', { fast: false }), 'forward', 'fast', true)
    expect(other.report.entries).toMatchObject([
      { path: 'fast', status: 'kept', reason: 'no condition depends on it' },
    ])
  })
})
