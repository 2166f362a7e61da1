import { readdirSync } from 'node:fs'
import { describe } from 'vitest'
import { checkCases } from './check-cases.ts'

const folder = new URL('../fixtures/operators/', import.meta.url)

for (const file of readdirSync(folder)) {
  // Has a form of its own: graphs, and a test of its own beside.
  if (file === 'scalars.json.gz') continue
  const family = file.replace('.json.gz', '')
  describe(`operators: ${family}`, () => checkCases(family))
}
