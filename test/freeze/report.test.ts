import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FreezeReport } from '../../src/passes/freeze-report.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

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
})
