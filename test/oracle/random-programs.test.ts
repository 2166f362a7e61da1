import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/archive/bytes.ts'
import { readNpz, writeNpz } from '../../src/archive/npz.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import { saveBytes } from '../../src/load.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { RaisedException } from '../../src/runtime/errors.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { generateProgram } from '../random-graphs/generate.ts'
import { moduleFactory, sourceOf } from '../random-graphs/model.ts'
import { withEntries } from '../support/archives.ts'
import { noise } from '../support/conv-bn-models.ts'
import { startOracles, type Oracles } from './oracles.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1)
const count = Number(process.env['FUZZ_ORACLE'] ?? 150)
const rtol = 1e-4

let oracles: Oracles
let folder: string
beforeAll(() => {
  oracles = startOracles()
  folder = mkdtempSync(join(tmpdir(), 'permafrost-programs-'))
})
afterAll(() => {
  oracles.stop()
  rmSync(folder, { recursive: true })
})

const bytesOf = (root: ScriptObject): Uint8Array =>
  saveBytes({ root, name: 'program', version: 10, extra: new Map() })

const inputsOf = (call: number): [x: Tensor, m: Tensor] => [
  noise([1, 4, 4, 4], 70 + call),
  noise([4, 4], 80 + call),
]

type Outputs = ReadonlyMap<string, Tensor>

function copied(tensors: Outputs): Outputs {
  return readNpz(concatBytes(writeNpz(tensors)))
}

function ours(module: ScriptObject, methods: readonly string[]): Outputs {
  const found = new Map<string, Tensor>()
  for (const [i, method] of methods.entries()) {
    const [x, m] = inputsOf(i)
    const outputs = resultOf(module, method, [x, m, i + 1, i % 2 === 0])
    for (const [name, tensor] of [
      ...outputs,
      ...copied(
        new Map([
          ['x', x],
          ['m', m],
        ]),
      ),
    ])
      found.set(`call${i}${name === 'output' ? '' : `.${name.replace(/^output\./, '')}`}`, tensor)
  }
  return found
}

function resultOf(module: ScriptObject, method: string, args: readonly unknown[]): Outputs {
  try {
    // Later calls may write what an earlier one gave.
    return copied(flattenOutputs(runMethod(module, method, args)))
  } catch (error) {
    if (!(error instanceof RaisedException)) throw error
    return new Map([['error', Tensor.from('bool', [], [1])]])
  }
}

async function libtorch(model: Uint8Array, methods: readonly string[]): Promise<Outputs> {
  const [path, input, output] = ['program.pt', 'input.npz', 'output.npz'].map((name) => join(folder, name))
  if (path === undefined || input === undefined || output === undefined) throw new TypeError('no paths')
  writeFileSync(path, model)
  const inputs = methods.flatMap((_, i) =>
    inputsOf(i).map((tensor, k) => [`${'xm'[k] ?? ''}${i}`, tensor] as const),
  )
  writeFileSync(input, concatBytes(writeNpz(new Map(inputs))))
  await oracles.first.request({ do: 'sequence', model: path, methods: methods.join(), input, output })
  return readNpz(readFileSync(output))
}

function expectSame(a: Outputs, b: Outputs): void {
  const different = compareOutputs(a, b, { rtol, atol: 1e-6 }).filter(({ equal }) => !equal)
  expect(different).toEqual([])
}

/** Dropout that does not train gives its input, which libtorch's schema does not tell: it then drops writes to it. */
const seeds = Array.from({ length: count }, (_, i) => firstSeed + i).filter(
  (seed) => !sourceOf(generateProgram(seed)).includes('torch.dropout'),
)

describe.each(seeds)('random program %i', (seed) => {
  const program = generateProgram(seed)
  const methods = program.preserved.includes('other')
    ? ['forward', 'other', 'forward']
    : ['forward', 'forward']
  const make = moduleFactory(program)

  it('does in libtorch what it does here, as written and as we have frozen it', async ({ skip }) => {
    const expected = ours(make(), methods)
    const written = withEntries(bytesOf(make()), {
      'code/__torch__.py': sourceOf(program),
      'code/__torch__.py.debug_pkl': undefined,
    })
    const theirs = await libtorch(written, methods).catch((error: unknown) => {
      // We compute such writes element by element, libtorch refuses them.
      if (String(error).includes('refer to a single memory location')) return undefined
      throw error
    })
    if (theirs === undefined) return skip('it reads and writes memory that overlaps')
    expectSame(theirs, expected)
    const { module } = freeze(make(), { preserved: program.preserved, optimizeNumerics: false })
    expectSame(await libtorch(bytesOf(module), methods), expected)
  })
})
