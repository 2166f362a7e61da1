// The main job on a checked-in model, by the real command: freeze it, show the report, run both, compare.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../dist/cli/main.js'

const model = 'test/fixtures/models/cascade.pt'
const inputs = 'test/fixtures/models/cascade.inputs.npz'
const frozen = join(mkdtempSync(join(tmpdir(), 'permafrost-')), 'cascade.frozen.pt')

for (const args of [
  ['freeze', model, '-o', frozen],
  ['graph', frozen],
  ['run', model, '--inputs', inputs],
  ['run', frozen, '--inputs', inputs],
  ['verify', model, frozen, '--inputs', inputs],
]) {
  process.stdout.write(`\n$ permafrost ${args.join(' ')}\n`)
  const code = await main(args)
  if (code !== 0) process.exit(code)
}
