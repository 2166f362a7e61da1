import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readZip } from '../../src/archive/zip-reader.ts'
import { withEntries } from '../support/archives.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-fuzz-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Runs, freezes and inspects what the file has become: each succeeds, or is refused with a message. */
async function expectCalm(name: string, model: Uint8Array): Promise<void> {
  const path = join(folder, 'model.pt')
  writeFileSync(path, model)
  const commands = [
    ['inspect', path],
    ['freeze', path, '-o', join(folder, 'frozen.pt')],
    ['run', path, '--inputs', fixturePath(`${name}.inputs.npz`)],
  ]
  for (const command of commands) {
    const { code, stderr } = await permafrost(...command)
    if (code !== 0) expect(stderr).toMatch(/^\w+Error: /)
    expect([0, 2, 3]).toContain(code)
  }
}

const names = fc.constantFrom('cascade-traced', 'control-flow', 'views-in-place', 'shared-weights')
const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
const numRuns = Number(process.env['FUZZ'] ?? 40)

function changed(bytes: Uint8Array, places: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice()
  for (const [at, byte] of places) if (copy.length > 0) copy[at % copy.length] = byte
  return copy
}

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(fixturePath(`${name}.pt`)))

describe('a damaged model', () => {
  it('is used or refused whatever bytes of the file change', async () => {
    await fc.assert(
      fc.asyncProperty(names, changes, (name, places) => expectCalm(name, changed(read(name), places))),
      { numRuns },
    )
  })

  it('is used or refused whatever bytes of one entry change, where its checksum is right', async () => {
    await fc.assert(
      fc.asyncProperty(names, fc.nat(), changes, (name, at, places) => {
        const archive = read(name)
        const entries = [...readZip(archive)].filter(([path]) => !/\/data\/|\.debug_pkl$/.test(path))
        const [path, entry] = entries[at % entries.length] ?? expect.fail('an archive without entries')
        const inner = path.slice(path.indexOf('/') + 1)
        return expectCalm(name, withEntries(archive, { [inner]: changed(entry.read(), places) }))
      }),
      { numRuns },
    )
  })
})
