import { describe, expect, it } from 'vitest'
import { useChild } from '../support/child.ts'
import type { Levels } from '../support/children/leaks.ts'
import { oneDnn } from '../support/session-graphs.ts'

/** LEAKS=long: what a server does in a while; it takes minutes. */
const isLong = process.env['LEAKS'] === 'long'
const [runs, rounds] = isLong ? [10_000, 200] : [1_000, 40]

/**
 * How much more a process may hold at the end than a third of the way, where everything has been done many times. One
 * answer of the model is 74 kB and what one session makes 200 kB at least, so that keeping every tenth answer, or every
 * second session, is seen even in the short form. What comes and goes by itself (the code that V8 compiles late, pages
 * of its young generation, buffers that wait to be freed) was 2 MB at most.
 */
const allowed = 4e6

/** The middle of a few levels: one that was taken before buffers were freed does not count. */
function middle(levels: readonly number[]): number {
  return [...levels].sort((a, b) => a - b)[levels.length >> 1] ?? NaN
}

function growth(levels: readonly number[]): number {
  return middle(levels.slice(-3)) - middle(levels.slice(0, 3))
}

describe.each([['reference'], ...(oneDnn ? [['onednn']] : [])])('memory of a process on %s', (backend) => {
  const child = useChild('leaks')

  it(`stays level over ${runs} runs and ${rounds} sessions`, { timeout: 1_200_000 }, async () => {
    const args = ['test/fixtures/models/cascade.pt', backend, String(runs), String(rounds)]
    const levels = (await child(args, { flags: ['--expose-gc'] })) as Levels
    if (isLong) console.log(backend, JSON.stringify(levels))
    expect(growth(levels.runs)).toBeLessThan(allowed)
    expect(growth(levels.sessions)).toBeLessThan(allowed)
  })
})
