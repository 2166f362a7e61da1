import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz } from '../../src/archive/npz.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import type { Explanation } from '../../src/runtime/session.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

const cascade = fixturePath('cascade.pt')
const inputs = ['--inputs', fixturePath('cascade.inputs.npz')]
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-sessions-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

interface Document {
  readonly explanation: Explanation
  readonly results: readonly { name: string; median: number; runs: number; ratio: number }[]
  readonly traceEvents: readonly { name: string; ph: string; ts: number; dur: number }[]
}

const json = (text: string): Document => JSON.parse(text) as Document

/** Where oneDNN is missing the reference backend serves, and a line on stderr says so; all else is the same. */
describe('run on a backend', () => {
  it('answers as the interpreter does', async () => {
    const answer = async (...options: string[]): Promise<ReturnType<typeof readNpz>> => {
      const file = join(folder, 'out.npz')
      const { code } = await permafrost('run', cascade, ...inputs, '-o', file, ...options)
      expect(code).toBe(0)
      return readNpz(readFileSync(file))
    }
    const wanted = await answer()
    for (const options of [[], ['--threads', '2'], ['--tune']]) {
      const found = await answer('--backend', 'onednn', ...options)
      // Folding and other orders of sums; Winograd, which --tune may choose, is promised to 1e-4.
      const [comparison] = compareOutputs(wanted, found, { rtol: 1e-4, atol: 0 })
      expect(comparison?.maxRelative).toBeLessThan(1e-4)
    }
  })

  it('tells what ran where', async () => {
    const { code, stdout } = await permafrost('run', cascade, ...inputs, '--backend', 'onednn', '--explain')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^backend: (oneDNN 2|reference)/m)
    expect(stdout).toMatch(/arena .* one behind the other; no plan takes less than |reference kernels/)
    expect(stdout).toContain('aten::conv2d')
  })

  it.each(['reference', 'onednn'])('takes the time of every step of %s', async (backend) => {
    const trace = join(folder, 'trace.json')
    const run = ['run', cascade, ...inputs, '--backend', backend, '--profile', '--trace', trace]
    const { code, stdout } = await permafrost(...run)
    expect(code).toBe(0)
    expect(stdout).toMatch(/[1-9]\d* ms +\d+\.\d % +%\w+ = aten::conv2d/)
    if (backend === 'reference') expect(stdout).not.toContain('arena')
    const { traceEvents } = json(readFileSync(trace, 'utf8'))
    const convolutions = traceEvents.filter(({ name }) => name.includes('aten::conv2d'))
    expect(convolutions.length).toBeGreaterThan(0)
    for (const { dur } of convolutions) expect(dur).toBeGreaterThan(0)
    let end = 0
    for (const { ph, ts, dur } of traceEvents) {
      expect(ph).toBe('X')
      expect(dur).toBeGreaterThanOrEqual(0)
      expect(ts).toBeCloseTo(end, 6)
      end = ts + dur
    }
  })

  it('puts the explanation into the one JSON document', async () => {
    const run = ['run', cascade, ...inputs, '--backend', 'onednn', '--explain', '--json']
    const { stdout } = await permafrost(...run)
    const { explanation } = json(stdout)
    expect(explanation.plans[0]?.steps.length).toBeGreaterThan(0)
  })

  it('refuses what makes no sense, with the exit code for bad usage', async () => {
    const unknown = await permafrost('run', cascade, ...inputs, '--backend', 'cuda')
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('onednn, reference') as string })
    for (const threads of ['0', '1.5', 'all']) {
      const { code, stderr } = await permafrost('run', cascade, '--backend', 'onednn', '--threads', threads)
      expect(code).toBe(2)
      expect(stderr).toContain('--threads')
    }
  })
})

describe('bench', () => {
  it('prints medians and a ratio, in turn with another file', async () => {
    const run = ['bench', cascade, ...inputs, '--vs', fixturePath('cascade-traced.pt'), '--repeat', '4']
    const { code, stdout } = await permafrost(...run)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^cascade\.pt on /m)
    expect(stdout).toMatch(/^cascade-traced\.pt on [\s\S]*median .* of 4 runs, \d+\.\d\d× the first/m)
    expect(stdout).toMatch(/peak memory of the process \d/)
  })

  it('makes inputs where none are given, and compares backends', async () => {
    const run = ['bench', cascade, '--backend', 'onednn,reference', '--repeat', '2', '--json']
    const { code, stdout, stderr } = await permafrost(...run)
    expect(code).toBe(0)
    expect(stderr).toContain('random inputs: ')
    const { results } = json(stdout)
    expect(results).toHaveLength(2)
    expect(results[0]).toMatchObject({ runs: 2, ratio: 1 })
    expect(results.every(({ median }) => median > 0)).toBe(true)
  })
})
