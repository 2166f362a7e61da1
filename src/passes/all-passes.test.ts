import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allPasses, findPass, modulePasses } from './all-passes.ts'
import type { Pass } from './pass.ts'

const folder = new URL('.', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))

function isPass(value: unknown): value is Pass {
  return (
    typeof value === 'object' && value !== null && 'summary' in value && 'run' in value && 'name' in value
  )
}

describe('the list of passes', () => {
  it.each(files)('%s: every pass it defines is listed under the name of the file', async (file) => {
    const module = (await import(new URL(file, folder).href)) as Record<string, unknown>
    for (const pass of Object.values(module).filter(isPass)) {
      expect(allPasses).toContain(pass)
      expect(`${pass.name}.ts`).toBe(file)
    }
  })

  it('has a file for every pass, those that need a module too', () => {
    for (const name of [...allPasses.map((pass) => pass.name), ...modulePasses])
      expect(files).toContain(`${name}.ts`)
  })

  it('has textual cases for every pass; inlining is tried on modules', () => {
    const cases = readdirSync(new URL('../../test/passes/', import.meta.url))
    for (const { name } of allPasses) if (name !== 'inline') expect(cases).toContain(`${name}.ir`)
  })

  it('says what there is when a name is unknown', () => {
    expect(() => findPass('fold-everything')).toThrow(
      /no pass is called 'fold-everything'[^]*constant-propagation/,
    )
  })
})
