import { existsSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz } from '../../src/archive/npz.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { numbersOf } from '../../src/runtime/numbers.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { createSession, load, save } from '../../src/node/index.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { oneDnn } from '../support/session-graphs.ts'
import {
  canonicalFrozenGraph,
  canonicalGraph,
  firstDifference,
  hasLess,
  structureOf,
} from './canonical-graph.ts'
import { methodAt } from './method-at.ts'
import { chosenModels } from './models.ts'
import { oracleFolder as folder, startOracles, type Oracles } from './oracles.ts'
import { writeReport, type ReportRow } from './report.ts'
import type { OracleWorker } from './worker.ts'

/**
 * Relative to the largest output. Both sides compute in float32 with sums in different orders (ours in float64), and
 * a hundred layers carry the last bits on: about 1e-6 is seen, 1e-5 is what the project promises.
 */
const tolerance = { rtol: 1e-5, atol: 0 }

const kinds = ['scripted', 'traced'] as const
const rows: ReportRow[] = []
let oracles: Oracles

beforeAll(() => {
  oracles = startOracles()
})

afterAll(() => {
  oracles.stop()
  writeReport(`${folder}/report.json`, rows)
})

function relativeError(exact: Tensor, found: Tensor): number {
  const wanted = Array.from(numbersOf(exact))
  const numbers = numbersOf(found)
  const scale = Math.max(...wanted.map(Math.abs))
  return Math.max(...wanted.map((x, i) => Math.abs(x - (numbers[i] ?? NaN)))) / scale
}

/** Runs part of a test and notes in the report why it failed. */
async function noting(row: ReportRow, part: () => void | Promise<void>): Promise<void> {
  try {
    await part()
  } catch (error) {
    const [line = ''] = String(error).split('\n')
    row.errors.push(line.slice(0, 200))
    throw error
  }
}

describe.each(chosenModels())('%s', (model) => {
  // A zoo that scripts/oracle/make-zoo.py made is used and left alone.
  const made = existsSync(`${folder}/${model}.done`)

  beforeAll(async () => {
    if (!made) await oracles.first.request({ do: 'make', model, folder })
  }, 300_000)

  afterAll(() => {
    for (const kind of kinds) {
      for (const file of ['frozen.pt', 'again.pt'])
        rmSync(`${folder}/${model}.${kind}.${file}`, { force: true })
      if (!made)
        for (const file of ['pt', 'output.npz', 'graphs.json', 'frozen.ir'])
          rmSync(`${folder}/${model}.${kind}.${file}`, { force: true })
    }
    if (!made) {
      rmSync(`${folder}/${model}.input.npz`, { force: true })
      rmSync(`${folder}/${model}.exact.npz`, { force: true })
    }
  })

  describe.each(kinds)('%s', (kind) => {
    const base = `${folder}/${model}.${kind}`
    const input = `${folder}/${model}.input.npz`
    const row: ReportRow = { model, kind, errors: [] }
    rows.push(row)
    let expected: Map<string, Tensor>

    beforeAll(() => {
      expected = readNpz(readFileSync(`${base}.output.npz`))
      row.libtorchItself = errorAgainstExact(expected)
    })

    // How far float32 takes libtorch from its own float64, which has one output where the scripted form may name it.
    const errorAgainstExact = (outputs: ReadonlyMap<string, Tensor>): number => {
      const [exact] = readNpz(readFileSync(`${folder}/${model}.exact.npz`)).values()
      const [found] = outputs.values()
      return exact && found ? relativeError(exact, found) : NaN
    }

    const errorOf = (outputs: ReadonlyMap<string, Tensor>): number =>
      Math.max(...compareOutputs(expected, outputs, tolerance).map(({ maxRelative }) => maxRelative))
    const ours = (module: ScriptModule): Map<string, Tensor> =>
      flattenOutputs(runMethod(module.root, 'forward', [...readNpz(readFileSync(input)).values()]))
    const theirs = async (worker: OracleWorker, file: string): Promise<number> =>
      errorOf(await oracles.run(worker, { model: file, input }))

    it('computes what libtorch computes, as it is', () =>
      noting(row, () => {
        const outputs = ours(load(`${base}.pt`))
        row.original = errorOf(outputs)
        row.exact = errorAgainstExact(outputs)
        expect(row.original).toBeLessThanOrEqual(tolerance.rtol)
      }))

    it('computes what libtorch computes, frozen', () =>
      noting(row, () => {
        const module = load(`${base}.pt`)
        const frozen = { ...module, root: freeze(module.root, { verify: true }).module }
        save(frozen, `${base}.frozen.pt`)
        row.frozen = errorOf(ours(frozen))
        expect(row.frozen).toBeLessThanOrEqual(tolerance.rtol)
      }))

    it.runIf(oneDnn)('computes what libtorch computes, in a session on oneDNN', () =>
      noting(row, () => {
        const session = createSession(load(`${base}.pt`), { backend: 'onednn' })
        row.oneDnn = errorOf(flattenOutputs(session.runValues([...readNpz(readFileSync(input)).values()])))
        session.dispose()
        expect(row.oneDnn).toBeLessThanOrEqual(tolerance.rtol)
      }),
    )

    it('is frozen to the graph that torch.jit.freeze makes, up to the order of constants, or has less of its nodes', () =>
      noting(row, () => {
        // libtorch writes out no loops when it freezes, and asks lists in sight nothing.
        const skip = ['unroll-loops', 'simplify-lists']
        const { module } = freeze(load(`${base}.pt`).root, { optimizeNumerics: false, skip })
        const found = canonicalFrozenGraph(printGraph(methodAt(module, ':forward').graph))
        const wanted = canonicalFrozenGraph(readFileSync(`${base}.frozen.ir`, 'utf8'))
        row.frozenGraph = found === wanted ? 'same' : hasLess(found, wanted) ? 'less' : 'other'
        expect(row.frozenGraph, firstDifference(found, wanted)).toMatch(/same|less/)
      }))

    it('is loaded and run by libtorch after freezing', () =>
      noting(row, async () => {
        row.frozenInLibtorch = await theirs(oracles.first, `${base}.frozen.pt`)
        if (oracles.second) row.frozenInSecondLibtorch = await theirs(oracles.second, `${base}.frozen.pt`)
        expect(row.frozenInLibtorch).toBeLessThanOrEqual(tolerance.rtol)
        expect(row.frozenInSecondLibtorch ?? 0).toBeLessThanOrEqual(tolerance.rtol)
      }))

    it('is loaded and run by libtorch after loading and saving, with the same result', () =>
      noting(row, async () => {
        save(load(`${base}.pt`), `${base}.again.pt`)
        const before = await oracles.run(oracles.first, { model: `${base}.pt`, input })
        const after = await oracles.run(oracles.first, { model: `${base}.again.pt`, input })
        row.savedInLibtorch = Math.max(
          ...compareOutputs(before, after, tolerance).map(({ maxRelative }) => maxRelative),
        )
        if (oracles.second) row.savedInSecondLibtorch = await theirs(oracles.second, `${base}.again.pt`)
        expect(row.savedInLibtorch).toBe(0)
        expect(row.savedInSecondLibtorch ?? 0).toBeLessThanOrEqual(tolerance.rtol)
      }))

    it('has the inlined graph that libtorch has, in every method', () =>
      noting(row, () => {
        const graphs = Object.entries(
          JSON.parse(readFileSync(`${base}.graphs.json`, 'utf8')) as Record<string, string>,
        )
        const module = load(`${base}.pt`)
        const differences: string[] = []
        Object.assign(row, { graphs: graphs.length, equalGraphs: 0, equalStructures: 0 })
        for (const [path, text] of graphs) {
          const wanted = canonicalGraph(text)
          const found = canonicalGraph(printGraph(inlinedGraph(methodAt(module.root, path))))
          if (found === wanted) row.equalGraphs = (row.equalGraphs ?? 0) + 1
          else differences.push(`${path} ${firstDifference(found, wanted)}`)
          if (structureOf(found) === structureOf(wanted)) row.equalStructures = (row.equalStructures ?? 0) + 1
        }
        expect(differences).toEqual([])
      }))
  })
})
