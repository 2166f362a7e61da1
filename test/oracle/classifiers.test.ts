import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz } from '../../src/archive/npz.ts'
import { compareOutputs } from '../../src/cli/compare.ts'
import { flattenOutputs } from '../../src/cli/outputs.ts'
import { runModel } from '../../src/cli/run.ts'
import type { GraphFunction } from '../../src/ir/graph-function.ts'
import { ScriptObject } from '../../src/ir/ivalue.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { load, save } from '../../src/node/index.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { canonicalGraph, firstDifference } from './canonical-graph.ts'
import { classifiers, quickClassifiers } from './classifiers.ts'
import { writeReport, type ReportRow } from './report.ts'
import { canImport, OracleWorker } from './worker.ts'

const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
/** A second libtorch, to load what we wrote: 2.13 where it is installed. */
const secondPython = process.env['PERMAFROST_PYTHON2']
const folder = process.env['PERMAFROST_ORACLE_DIR'] ?? '.oracle'
const chosen = process.env['PERMAFROST_ORACLE_MODELS']?.split(',')
const models = chosen ?? (process.env['PERMAFROST_ORACLE_ALL'] === undefined ? quickClassifiers : classifiers)

/**
 * Relative to the largest output. Both sides compute in float32 with sums in different orders (ours in float64), and
 * a hundred layers carry the last bits on: about 1e-6 is seen, 1e-5 is what the project promises.
 */
const tolerance = { rtol: 1e-5, atol: 0 }

const rows: ReportRow[] = []
let oracle: OracleWorker
let second: OracleWorker | undefined

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  if (!canImport(python, 'torchvision'))
    throw new TypeError(`${python} has no torchvision; set PERMAFROST_PYTHON`)
  oracle = new OracleWorker(python)
  if (secondPython !== undefined && canImport(secondPython, 'torch')) second = new OracleWorker(secondPython)
})

afterAll(() => {
  oracle.stop()
  second?.stop()
  writeReport(`${folder}/report.json`, rows)
})

describe.each(models)('%s', (model) => {
  beforeAll(async () => {
    await oracle.request({ do: 'make', model, folder })
  }, 300_000)

  afterAll(() => {
    for (const kind of ['scripted', 'traced'])
      for (const file of ['pt', 'frozen.pt', 'again.pt', 'output.npz', 'graphs.json'])
        rmSync(`${folder}/${model}.${kind}.${file}`, { force: true })
  })

  describe.each(['scripted', 'traced'])('%s', (kind) => {
    const base = `${folder}/${model}.${kind}`
    const row: ReportRow = { model, kind }
    rows.push(row)
    let expected: Map<string, Tensor>

    beforeAll(() => {
      expected = readNpz(readFileSync(`${base}.output.npz`))
    })

    const errorOf = (outputs: ReadonlyMap<string, Tensor>): number =>
      Math.max(...compareOutputs(expected, outputs, tolerance).map(({ maxRelative }) => maxRelative))
    const inputs = (): { positional: Tensor[]; named: Record<string, never> } => ({
      positional: [...readNpz(readFileSync(`${folder}/${model}.input.npz`)).values()],
      named: {},
    })
    const ours = (module: ScriptModule): Map<string, Tensor> =>
      flattenOutputs(runModel(module, 'forward', inputs(), () => undefined))
    const theirs = async (worker: OracleWorker, file: string): Promise<Map<string, Tensor>> => {
      const output = `${base}.result.npz`
      await worker.request({ do: 'run', model: file, input: `${folder}/${model}.input.npz`, output })
      const read = readNpz(readFileSync(output))
      rmSync(output)
      return read
    }

    it('computes what libtorch computes, as it is', () => {
      row.original = errorOf(ours(load(`${base}.pt`)))
      expect(row.original).toBeLessThanOrEqual(tolerance.rtol)
    })

    it('computes what libtorch computes, frozen', () => {
      const module = load(`${base}.pt`)
      const frozen = { ...module, root: freeze(module.root, { verify: true }).module }
      row.frozen = errorOf(ours(frozen))
      save(frozen, `${base}.frozen.pt`)
      expect(row.frozen).toBeLessThanOrEqual(tolerance.rtol)
    })

    it('is loaded and run by libtorch after freezing', async () => {
      row.frozenInLibtorch = errorOf(await theirs(oracle, `${base}.frozen.pt`))
      if (second) row.frozenInSecondLibtorch = errorOf(await theirs(second, `${base}.frozen.pt`))
      expect(Math.max(row.frozenInLibtorch, row.frozenInSecondLibtorch ?? 0)).toBeLessThanOrEqual(
        tolerance.rtol,
      )
    })

    it('is loaded and run by libtorch after loading and saving, with the same result', async () => {
      save(load(`${base}.pt`), `${base}.again.pt`)
      row.savedInLibtorch = errorOf(await theirs(oracle, `${base}.again.pt`))
      if (second) row.savedInSecondLibtorch = errorOf(await theirs(second, `${base}.again.pt`))
      expect(row.savedInLibtorch).toBe(0)
      expect(row.savedInSecondLibtorch ?? 0).toBeLessThanOrEqual(tolerance.rtol)
    })

    it('has the inlined graph that libtorch has, in every method', () => {
      const graphs = JSON.parse(readFileSync(`${base}.graphs.json`, 'utf8')) as Record<string, string>
      const module = load(`${base}.pt`)
      const differences = Object.entries(graphs).flatMap(([path, text]) => {
        const expectedText = canonicalGraph(text)
        const found = canonicalGraph(printGraph(inlinedGraph(methodAt(module.root, path))))
        return found === expectedText ? [] : [`${path} ${firstDifference(found, expectedText)}`]
      })
      row.graphs = Object.keys(graphs).length
      row.equalGraphs = row.graphs - differences.length
      expect(differences).toEqual([])
    })
  })
})

function methodAt(root: ScriptObject, path: string): GraphFunction {
  const [modulePath = '', method = ''] = path.split(':')
  let object = root
  for (const name of modulePath === '' ? [] : modulePath.split('.')) {
    const inner = object.slots.get(name)
    if (!(inner instanceof ScriptObject)) throw new TypeError(`no module at ${path}`)
    object = inner
  }
  const fn = object.type.methods.get(method)
  if (fn === undefined) throw new TypeError(`no method at ${path}`)
  return fn
}
