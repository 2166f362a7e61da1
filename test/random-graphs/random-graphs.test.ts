import { describe, expect, it } from 'vitest'
import { definePass } from '../../src/passes/pass.ts'
import { runCampaign } from './campaign.ts'
import { generateProgram } from './generate.ts'
import { sourceOf } from './model.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1)
const count = Number(process.env['FUZZ_GRAPHS'] ?? 600)
/** Of the ordinary run; when a count is asked for, all are tried. */
const milliseconds = process.env['FUZZ_GRAPHS'] === undefined ? 20_000 : Infinity

describe('random programs', () => {
  it(
    'do the same inlined, optimised, frozen, printed and saved',
    () => {
      const { same, unusable, nextSeed, faults } = runCampaign({ firstSeed, count, milliseconds })
      process.stdout.write(
        `random programs: seeds ${firstSeed} to ${nextSeed - 1}, ${same} the same, ${unusable} unusable\n`,
      )
      expect(faults.join('\n')).toBe('')
      expect(unusable).toBeLessThan(1 + same / 20)
    },
    count * 1000,
  )

  it('are the same for the same seed, and others for another', () => {
    expect(sourceOf(generateProgram(5))).toBe(sourceOf(generateProgram(5)))
    expect(sourceOf(generateProgram(5))).not.toBe(sourceOf(generateProgram(6)))
  })
})

describe('a pass that is wrong', () => {
  const dropsWrites = definePass({
    name: 'drop-writes',
    summary: 'Takes the result of an in-place addition for the value before it.',
    run(graph, cx) {
      for (const node of graph.nodes('aten::add_'))
        cx.rewrite(node, 'wrong', (edit) => {
          edit.replaceAllUses(node.output(), node.input())
          edit.destroy(node)
        })
    },
  })
  const forgetsBranches = definePass({
    name: 'forget-branches',
    summary: 'Takes every condition for true.',
    run(graph, cx) {
      for (const node of graph.nodes('prim::If'))
        cx.rewrite(node, 'wrong', (edit) =>
          edit.replaceInput(node, 0, edit.insertConstant(true, { kind: 'Bool' })),
        )
    },
  })

  it.each([dropsWrites, forgetsBranches])('$name is found, and told with a small program', (pass) => {
    const { faults } = runCampaign({ firstSeed: 1, count: 300, passes: [pass] })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(pass.name)
    const statements = faults[0]?.match(/^ {4}(?!return)\S/gm) ?? []
    expect(statements.length).toBeLessThan(6)
  })
})
