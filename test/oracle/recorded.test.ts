import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { save } from '../../src/node/index.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { recordedModels } from '../support/recorded-models.ts'
import { startOracles, type Oracles } from './oracles.ts'

let oracles: Oracles
let folder: string

beforeAll(() => {
  oracles = startOracles()
  folder = mkdtempSync(join(tmpdir(), 'permafrost-recorded-'))
})

afterAll(() => {
  oracles.stop()
  rmSync(folder, { recursive: true })
})

async function expectSameInLibtorch(name: string, module: ScriptModule): Promise<void> {
  const model = join(folder, `${name}.pt`)
  save(module, model)
  // The second libtorch comes without torchvision.
  const workers = name.startsWith('detector') ? [oracles.first] : [oracles.first, oracles.second]
  for (const worker of workers)
    if (worker !== undefined)
      expect(await worker.request({ do: 'calls', model, name })).toEqual({ differences: [] })
}

const names = recordedModels.filter(({ name }) => name !== 'parallel.scripted')

describe.each(names)('$name ($summary)', (model) => {
  it('answers the same in libtorch when we have saved it', () =>
    expectSameInLibtorch(model.name, model.load()))

  if (!model.name.startsWith('training'))
    it('answers the same in libtorch when we have frozen it', async () => {
      const module = model.load()
      const { module: root } = freeze(module.root, { preserved: model.methods })
      await expectSameInLibtorch(model.name, { ...module, root })
    })
})
