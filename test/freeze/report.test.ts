import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FreezeReport } from '../../src/passes/freeze-report.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'
import { oneDnn } from '../support/session-graphs.ts'

const cascade = fixturePath('cascade.pt')
const training = fixturePath('cascade-training.pt')
const params = 'weight,bias,running_mean,running_var'
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-freeze-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Freezes and returns the report file's text. */
async function reportOf(file: string, model: string, ...options: string[]): Promise<string> {
  const report = join(folder, file)
  const result = await permafrost(
    'freeze',
    model,
    '-o',
    join(folder, 'out.pt'),
    '--report',
    report,
    ...options,
  )
  expect(result.code, result.stderr).toBe(0)
  return readFileSync(report, 'utf8')
}

describe('the report of a freeze', () => {
  it('has stable names in JSON', async () => {
    const report = JSON.parse(await reportOf('report.json', cascade)) as FreezeReport
    expect(Object.keys(report)).toEqual(['entries', 'passes', 'totals'])
    expect(Object.keys(report.totals)).toEqual([
      'attributes',
      'frozen',
      'bytes',
      'bytesFrozen',
      'bytesFolded',
      'bytesKept',
      'bytesDropped',
      'bytesOfConstants',
      'nodesBefore',
      'nodesAfter',
      'milliseconds',
    ])
    expect(report.entries.find(({ path }) => path === 'block1.conv.weight')).toEqual({
      path: 'block1.conv.weight',
      kind: 'parameter',
      type: 'Float(16, 3, 3, 3, strides=[27, 9, 3, 1], requires_grad=1, device=cpu)',
      bytes: 1728,
      consumers: ['aten::conv2d'],
      status: 'frozen',
      folded: true,
    })
    expect(report.passes[0]).toMatchObject({ name: 'freeze-module', method: 'forward' })
    expect(report.totals.milliseconds).toBeGreaterThan(0)
    expect(report.totals.milliseconds).toBeCloseTo(
      report.passes.reduce((sum, pass) => sum + pass.milliseconds, 0),
    )
  })

  it('is Markdown in a file that ends so, with a row for every attribute and every pass', async () => {
    const text = await reportOf('report.md', cascade)
    expect(text).toMatch(/^# Freezing cascade\.pt\n\n- \d+ of \d+ attributes frozen/)
    expect(text).toMatch(/\| block1\.conv\.weight \| parameter \|.*\| frozen and folded \|/)
    expect(text).toMatch(/\| fold-conv-batch-norm \| forward \| \d+ \|/)
  })

  it('is a table on the terminal, with the sums below', async () => {
    const { stdout } = await permafrost('freeze', cascade, '-o', join(folder, 'out.pt'))
    expect(stdout).toMatch(/block1\.conv\.weight +parameter +Float.* frozen and folded\n/)
    expect(stdout).toMatch(/\d+ nodes before, \d+ after, \d+\.\d ms in passes/)
  })

  it('tells what parameters by name kept as attributes, and the file does not double', async () => {
    const text = await reportOf('named.json', cascade, '--params', params, '--no-fold')
    const { entries, totals } = JSON.parse(text) as FreezeReport
    expect(entries.find(({ path }) => path === 'block1.bn.running_var')?.status).toBe('frozen')
    expect(totals.bytesKept).toBe(16)
    expect(statSync(join(folder, 'out.pt')).size).toBeLessThan(1.2 * statSync(cascade).size)
  })

  it('refuses statistics of a model that trains, and takes them with the flag', async () => {
    const refused = await permafrost('freeze', training, '-o', join(folder, 'no.pt'), '--params', params)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(
      /running_mean cannot be frozen: aten::batch_norm writes it \(.*functional\.py:\d+:\d+\)[^]*freeze the flag/,
    )
    const report = JSON.parse(
      await reportOf('flag.json', training, '--params', params, '--flag', 'training=false'),
    ) as FreezeReport
    expect(report.entries.find(({ path }) => path === 'block1.bn.training')?.status).toBe('frozen')
  })
})

describe('graph --frozen --ranges', () => {
  it('prints behind each node the Python line that it was made from', async () => {
    const { stdout } = await permafrost('graph', cascade, '--frozen', '--ranges')
    expect(stdout).toMatch(/aten::conv2d\(.*\) # .*\/conv\.py:\d+:\d+\n/)
    expect(stdout).toMatch(/aten::relu\(.*\) # .*\/functional\.py:\d+:\d+\n/)
  })

  it.skipIf(oneDnn === undefined)('tells how many constants were packed', async () => {
    const options = ['--prepack', 'onednn', '--tune', '--threads', '2']
    const { prepacked } = JSON.parse(await reportOf('report.json', cascade, ...options)) as {
      prepacked: { constants: number; bytes: number }
    }
    expect(prepacked.constants).toBeGreaterThan(0)
    expect(prepacked.bytes).toBeGreaterThan(0)
    for (const file of ['report.md', 'report.txt'])
      expect(await reportOf(file, cascade, ...options)).toMatch(/^packed [1-9]\d* constants, [\d.]+ KB$/m)
  })

  it.skipIf(oneDnn === undefined)('says why nothing was packed', async () => {
    const files = ['-o', join(folder, 'out.pt'), '--report', join(folder, 'report.json')]
    const run = ['freeze', fixturePath('control-flow.pt'), ...files, '--prepack', 'onednn']
    const { code, stderr } = await permafrost(...run)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^warning: nothing was packed: \w+/m)
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({
      prepacked: { constants: 0, bytes: 0, reason: expect.any(String) as string },
    })
  })

  it.each([['--tune'], ['--threads', '2'], ['--input', '1']])(
    'refuses %s where nothing is packed',
    async (...option) => {
      const { code, stderr } = await permafrost('freeze', cascade, '-o', join(folder, 'no.pt'), ...option)
      expect(code).toBe(2)
      expect(stderr).toContain('add --prepack onednn')
    },
  )
})
