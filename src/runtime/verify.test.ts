import { describe, expect, it } from 'vitest'
import { cascade, noise } from '../../test/support/conv-bn-models.ts'
import { loadFixture } from '../../test/support/fixture-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { freeze } from '../passes/freeze-module.ts'
import { runPasses } from '../passes/pass-manager.ts'
import { definePass, type Pass } from '../passes/pass.ts'
import { methodOf } from '../passes/support/inline-module.ts'
import { verifyFreeze, verifyModules } from './verify.ts'

const samples = [{ positional: [noise([1, 3, 8, 8], 3)] }]

/** Freezes as always, then runs one more pass over each method. */
function freezeAndThen(pass: Pass): typeof freeze {
  return (module, options) => {
    const { module: frozen, report } = freeze(module, options)
    const stopAfter = options?.stopAfter
    if (stopAfter !== undefined && stopAfter.pass !== pass.name) return { module: frozen, report }
    const stats = runPasses(methodOf(frozen, 'forward').graph, [pass], options)
    const passes = [...report.passes, ...stats.map((ran) => ({ ...ran, method: 'forward' }))]
    return { module: frozen, report: { ...report, passes } }
  }
}

const negateRelu = definePass({
  name: 'negate-relu',
  summary: 'Copies every relu, and takes the second one for a negation.',
  run(graph, cx) {
    for (const [i, node] of [...graph.nodes('aten::relu')].entries())
      cx.rewrite(node, i === 1 ? 'wrongly' : 'rightly', (edit) => {
        const kind = i === 1 ? 'aten::neg' : 'aten::relu'
        const made = edit.insert(kind, [node.input()], { ...(node.range && { range: node.range }) })
        edit.copyMetadata(node.output(), made.output())
        edit.replaceAllUses(node.output(), made.output())
      })
  },
})

describe('verifyFreeze', () => {
  it.each(['cascade', 'cascade-traced', 'residual'])('finds %s and its frozen form equal', (name) => {
    const report = verifyFreeze(() => loadFixture(name).root, { samples })
    expect(report.equal).toBe(true)
    expect(report.guilty).toBeUndefined()
  })

  it('names the pass, the rewrite and the first value that differs', () => {
    const report = verifyFreeze(() => loadFixture('cascade').root, {
      samples,
      freeze: freezeAndThen(negateRelu),
    })
    expect(report.equal).toBe(false)
    expect(report.samples[0]?.[0]).toMatchObject({ name: 'output', equal: false })
    expect(report.samples[0]?.[0]?.worst?.index).toHaveLength(4)
    expect(report.guilty).toMatchObject({
      pass: 'negate-relu',
      number: 2,
      node: 'aten::relu',
      why: 'wrongly',
    })
    expect(report.guilty?.source).toMatch(/\.py:\d+:\d+$/)
  })

  it('halves the passes of freezing too: folding changes the last bits', () => {
    const report = verifyFreeze(cascade, { samples, tolerance: { rtol: 0, atol: 0 } })
    expect(report.guilty).toMatchObject({ pass: 'fold-conv-batch-norm', number: 1 })
    expect(report.firstDifference).toMatchObject({ node: 'aten::relu', otherNode: 'aten::relu' })
    expect(report.firstDifference?.comparison.maxRelative).toBeLessThan(1e-5)
  })

  it('takes a frozen form that fails for one that differs', () => {
    const breaks = definePass({
      name: 'break-shapes',
      summary: 'Gives a convolution the weight of another.',
      run(graph, cx) {
        const [first, second] = [...graph.nodes('aten::conv2d')]
        if (first && second)
          cx.rewrite(second, 'wrong', (edit) => edit.replaceInput(second, 1, first.input(1)))
      },
    })
    const report = verifyFreeze(cascade, { samples, freeze: freezeAndThen(breaks) })
    expect(report.samples[0]?.[0]?.reason).toMatch(/the second fails: \w+Error/)
    expect(report.guilty).toMatchObject({ pass: 'break-shapes', number: 1 })
  })

  it('calls each module with all samples in turn: what one call leaves, the next finds', () => {
    const calls = verifyFreeze(counter, { samples: [{}, {}, {}], tolerance: { rtol: 0, atol: 0 } })
    expect(calls.equal).toBe(true)
    expect(calls.samples).toHaveLength(3)
  })
})

const source = `
class Counter(Module):
  __parameters__ = []
  __buffers__ = ["count", ]
  training : bool
  count : Tensor
  step : Tensor
  def forward(self: __torch__.Counter) -> Tensor:
    count = self.count
    moved = torch.add_(count, self.step)
    doubled = torch.mul(moved, 2)
    return torch.neg(doubled)
`

function counter(step = 1): ScriptObject {
  const modules = new ModuleSource(source)
  const [count, steps] = [noise([4], 1), noise([4], step)]
  return modules.make('Counter', { training: false, count, step: steps })
}

describe('verifyModules', () => {
  it('says where two models begin to differ', () => {
    const report = verifyModules(
      () => counter(1),
      () => counter(2),
      { samples: [{}] },
    )
    expect(report.equal).toBe(false)
    expect(report.firstDifference).toMatchObject({ value: 'moved', node: 'aten::add_', equalBefore: 0 })
  })

  it('tells elements that are NaN on one side only', () => {
    const withNaN = (): ScriptObject => {
      const module = counter()
      module.slots.set('step', noise([4], 1, NaN, NaN))
      return module
    }
    const report = verifyModules(counter, withNaN, { samples: [{}] })
    expect(report.samples[0]?.[0]).toMatchObject({ equal: false, nonFinite: 4, maxAbsolute: Infinity })
  })
})
