import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { oneDnn } from '../support/session-graphs.ts'

const library = new URL('../../dist/node/index.js', import.meta.url)
const model = fileURLToPath(new URL('../fixtures/models/cascade-traced.pt', import.meta.url))

/** `npm run typecheck` builds it. */
const isBuilt = existsSync(library)

const script = `
  const { createSession, load, Tensor } = await import(process.argv[1])
  const session = createSession(load(process.argv[2]), { backend: 'onednn', threads: 2 })
  const [y] = await session.run([Tensor.zeros('float32', [1, 3, 64, 64])])
  console.log(y.sizes.join('x'))`

describe.skipIf(oneDnn === undefined || !isBuilt)('a process that ran on two threads', () => {
  it('ends in peace, with the session still open', () => {
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, library.href, model],
      { encoding: 'utf8' },
    )
    expect({ status, signal, stdout: stdout.trim() }).toEqual({
      status: 0,
      signal: null,
      stdout: '1x32x60x60',
    })
  })
})
