import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

const missing = '/nowhere/libdnnl.so'
const model = [fixturePath('cascade.pt'), '--inputs', fixturePath('cascade.inputs.npz')]

describe('where oneDNN is missing', () => {
  // The library is looked for once in a process: these tests have a file, and so a process, of their own.
  beforeAll(() => vi.stubEnv('PERMAFROST_ONEDNN', missing))
  afterAll(() => vi.unstubAllEnvs())

  const line = (text: string): RegExp => new RegExp(`^${text}.*: ${missing}: .*install.*$`)

  it('run says which backend served instead, and why in one line', async () => {
    const { code, stdout, stderr } = await permafrost('run', ...model, '--backend', 'onednn', '--json')
    expect(code).toBe(0)
    expect(stderr.trimEnd()).toMatch(line('warning: PERMAFROST_ONEDNN'))
    expect(JSON.parse(stdout)).toMatchObject({
      backend: 'reference',
      fallback: expect.stringMatching(line('PERMAFROST_ONEDNN')) as string,
    })
  })

  it('bench says so for each file', async () => {
    const { stdout } = await permafrost('bench', ...model, '--repeat', '1', '--json')
    const name = 'cascade.pt on reference kernels'
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ name, fallback: expect.any(String) as string }] })
  })
})
