import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeNpz } from '../../src/archive/npz.ts'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import { saveBytes } from '../../src/load.ts'
import { freezeByName } from '../../src/passes/freeze-by-name.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { paramNames } from '../../src/passes/freeze-params.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import { expectSame, freezeModels, inputsOf, loadFreezeModel } from '../support/freeze-models.ts'
import { startOracles, type Oracles } from './oracles.ts'

let oracles: Oracles
let folder: string

beforeAll(() => {
  oracles = startOracles()
  folder = mkdtempSync(join(tmpdir(), 'permafrost-freeze-'))
})
afterAll(() => {
  oracles.stop()
  rmSync(folder, { recursive: true })
})

const flags = { training: false }
/** A parameter that something writes cannot be frozen by name. */
const written = ['hidden', 'tied', 'always-trains']
const evaluated = Object.keys(freezeModels).filter(
  (name) => name !== 'norms-training' && freezeModels[name]?.calls[0]?.method === 'forward',
)

/** libtorch loads what we write of the frozen model and gives its own result of before freezing. */
async function expectLibtorchAgrees(name: string, root: ScriptObject): Promise<void> {
  const [call] = freezeModels[name]?.calls ?? []
  if (call === undefined) expect.fail('no call')
  const model = join(folder, `${name}.pt`)
  const input = join(folder, `${name}.npz`)
  writeFileSync(model, saveBytes({ ...loadFreezeModel(name), root }))
  writeFileSync(
    input,
    Buffer.concat(writeNpz(new Map(inputsOf(call).map((tensor, i) => [String(i), tensor])))),
  )
  for (const worker of [oracles.first, oracles.second]) {
    if (worker === undefined) continue
    const outputs = [...(await oracles.run(worker, { model, input })).values()].map((tensor) => ({
      sizes: tensor.sizes,
      values: Array.from(contiguousData(tensor), Number),
    }))
    expectSame(Array.isArray(call.result) ? outputs : (outputs[0] ?? null), call.result)
  }
}

describe('libtorch runs what freezing leaves', () => {
  it.each(evaluated)('of %s', async (name) => {
    await expectLibtorchAgrees(name, freeze(loadFreezeModel(name).root, { flags }).module)
  })

  it.each(evaluated.filter((name) => !written.includes(name)))('of %s, frozen by name', async (name) => {
    const options = { params: paramNames, flags, dropUnread: true }
    await expectLibtorchAgrees(name, freezeByName(loadFreezeModel(name).root, 'forward', options).module)
  })
})
