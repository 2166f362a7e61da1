import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/archive/npz.ts'
import { writeFileAtomically } from '../../src/node/files.ts'
import { save } from '../../src/node/index.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import type { Explanation } from '../../src/runtime/session.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'
import { ModuleSource } from '../support/modules.ts'

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
    for (const threads of ['0', '1.5', 'all', '1025'])
      for (const backend of ['onednn', 'reference']) {
        const run = ['run', cascade, ...inputs, '--backend', backend, '--threads', threads]
        const { code, stderr } = await permafrost(...run)
        expect(code).toBe(2)
        expect(stderr).toContain('--threads')
      }
  })

  it.each([
    [['--threads', '2'], /--threads is for a backend/],
    [['--threads', 'abc'], /--threads/],
    [['--tune'], /--tune is for a backend/],
    [['--trace', 'x.json'], /add --profile/],
    [['--backend', 'reference', '--trace', 'x.json'], /add --profile/],
  ])('refuses %j, which would be of no effect', async (options, message) => {
    const { code, stderr } = await permafrost('run', cascade, ...inputs, ...options)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('writes neither outputs nor trace where one of them cannot be written', async () => {
    const file = join(folder, 'neither.npz')
    const trace = join(folder, 'no', 'trace.json')
    const run = ['run', cascade, ...inputs, '-o', file, '--profile', '--trace', trace]
    expect(await permafrost(...run)).toMatchObject({ code: 3 })
    expect(existsSync(file)).toBe(false)
  })

  it('gives every run the inputs as they are, whatever the model writes to them', async () => {
    const [input, output] = [join(folder, 'x.npz'), join(folder, 'y.npz')]
    writeFileAtomically(input, writeNpz(new Map([['0', Tensor.from('float32', [2], [1, 2])]])))
    const adds = writesToItsInput()
    for (const options of [[], ['--backend', 'reference'], ['--backend', 'onednn', '--explain']]) {
      const run = ['run', adds, '--inputs', input, '-o', output, '--repeat', '3', ...options]
      expect(await permafrost(...run)).toMatchObject({ code: 0 })
      expect([...(readNpz(readFileSync(output)).get('output')?.data ?? [])]).toEqual([2, 3])
    }
  })
})

/** A file of a model that adds 1 to what it is given. */
function writesToItsInput(): string {
  const source = new ModuleSource(`class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.add_(x, 1)
`)
  const path = join(folder, 'adds.pt')
  save({ root: source.make('M', { training: false }), name: 'adds', version: 10, extra: new Map() }, path)
  return path
}

describe('bench', () => {
  it('prints medians and a ratio, in turn with another file', async () => {
    const run = ['bench', cascade, ...inputs, '--vs', fixturePath('cascade-traced.pt'), '--repeat', '4']
    const { code, stdout } = await permafrost(...run)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^cascade\.pt on /m)
    expect(stdout).toMatch(/^cascade-traced\.pt on [\s\S]*median .* of 4 runs, \d+\.\d\d× the first/m)
    expect(stdout).toMatch(/peak memory of the process \d/)
  })

  it('tells files of one name in two folders apart', async () => {
    const [first, second] = ['a', 'b'].map((name) => join(folder, name, 'm.pt')) as [string, string]
    for (const path of [first, second]) {
      mkdirSync(dirname(path))
      copyFileSync(cascade, path)
    }
    const { stdout } = await permafrost('bench', first, ...inputs, '--vs', second, '--repeat', '1', '--json')
    const names = json(stdout).results.map(({ name }) => name)
    expect(names).toEqual([
      expect.stringContaining(`${first} on `) as string,
      expect.stringContaining(`${second} on `) as string,
    ])
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
