import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz } from '../../src/archive/npz.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { fixtureGraphs, fixtureModels, fixturePath, fixtureValues } from '../support/fixture-models.ts'
import { canonicalGraph } from './canonical-graph.ts'
import { startOracles, type Oracles } from './oracles.ts'

const tolerance = { rtol: 1e-5, atol: 0 }
const binary = fileURLToPath(new URL('../../bin/permafrost.js', import.meta.url))

let oracles: Oracles
let folder: string

beforeAll(() => {
  oracles = startOracles()
  folder = mkdtempSync(join(tmpdir(), 'permafrost-command-line-'))
})

afterAll(() => {
  oracles.stop()
  rmSync(folder, { recursive: true })
})

/** The built command in a process of its own. */
function permafrost(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [binary, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
}

function succeeds(...args: readonly string[]): string {
  const { status, stdout, stderr } = permafrost(...args)
  expect(status, stderr).toBe(0)
  return stdout
}

function expectOutputs(name: string, found: ReadonlyMap<string, Tensor>): void {
  for (const comparison of compareOutputs(fixtureValues(name).outputs, found, tolerance))
    expect(comparison, comparison.name).toMatchObject({ equal: true })
}

const readArrays = (path: string): Map<string, Tensor> => readNpz(readFileSync(path))

describe.each(fixtureModels)('permafrost on %s', (name) => {
  const model = fixturePath(`${name}.pt`)
  const inputs = fixturePath(`${name}.inputs.npz`)
  const path = (file: string): string => join(folder, `${name}.${file}`)
  const inEvalMode = !name.includes('training')

  it('run writes what libtorch computes, and one JSON document', () => {
    const out = path('out.npz')
    const report = JSON.parse(
      succeeds('run', model, '--inputs', inputs, '-o', out, '--backend', 'reference', '--json'),
    ) as { method: string }
    expect(report.method).toBe('forward')
    expectOutputs(name, readArrays(out))
  })

  it.each(fixtureGraphs(name, 'inlined'))(
    'graph --inlined prints what libtorch prints: %s',
    (method, text) => {
      expect(canonicalGraph(succeeds('graph', model, '--inlined', '--method', method))).toBe(
        canonicalGraph(text),
      )
    },
  )

  it('inspect lists its modules as JSON', () => {
    expect(JSON.parse(succeeds('inspect', model, '--json'))).toBeTypeOf('object')
  })

  if (inEvalMode)
    it('freeze writes a file that libtorch runs with the same result, and verify agrees', async () => {
      const frozen = path('frozen.pt')
      const report = path('report.json')
      succeeds('freeze', model, '-o', frozen, '--report', report)
      expect(existsSync(report)).toBe(true)
      for (const worker of [oracles.first, oracles.second])
        if (worker !== undefined)
          expectOutputs(name, await oracles.run(worker, { model: frozen, input: inputs }))
      succeeds('verify', model, frozen, '--inputs', inputs, '--rtol', '1e-5', '--atol', '1e-7')
    })

  if (inEvalMode)
    it('freeze --params and --flag write a file that libtorch runs with the same result', async () => {
      const frozen = path('params.pt')
      const params = 'weight,bias,running_mean,running_var'
      succeeds('freeze', model, '-o', frozen, '--params', params, '--flag', 'training=false')
      for (const worker of [oracles.first, oracles.second])
        if (worker !== undefined)
          expectOutputs(name, await oracles.run(worker, { model: frozen, input: inputs }))
    })
})

describe('permafrost', () => {
  const cascade = fixturePath('cascade.pt')
  const inputs = fixturePath('cascade.inputs.npz')

  it('verify ends with 1 where two models differ', () => {
    const { status } = permafrost('verify', cascade, fixturePath('cascade-training.pt'), '--inputs', inputs)
    expect(status).toBe(1)
  })

  it('ends with 2 for bad usage and with 3 for a file that is no model, with a message on stderr only', () => {
    const usage = permafrost('freeze', cascade)
    expect(usage).toMatchObject({ status: 2, stdout: '' })
    const missing = permafrost('run', '/nowhere.pt')
    expect(missing).toMatchObject({ status: 3, stdout: '' })
    expect(usage.stderr + missing.stderr).toMatch(/-o[^]*nowhere\.pt/)
  })
})
