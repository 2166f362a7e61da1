// npm run fuzz:graphs -- [--count 10000] [--seed 1] [--faults 10]: random programs against all passes, for a night.
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '10' },
  },
})
const [firstSeed, count, mostFaults] = [values.seed, values.count, values.faults].map(Number)
if (![firstSeed, count, mostFaults].every(Number.isSafeInteger)) {
  process.stderr.write('--count, --seed and --faults take whole numbers\n')
  process.exit(2)
}
const campaign = fileURLToPath(new URL('../test/random-graphs/campaign.ts', import.meta.url))
const { module } = await runnerImport(campaign)
const start = Date.now()
const { same, unusable, nextSeed, faults } = module.runCampaign({
  firstSeed,
  count,
  mostFaults,
  onProgress(tried) {
    if (tried % 1000 === 0) process.stderr.write(`${tried} programs, ${Date.now() - start} ms\n`)
  },
})
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(
  `seeds ${firstSeed} to ${nextSeed - 1}: ${same} programs the same in all forms, ${unusable} unusable, ${faults.length} faults; ${((Date.now() - start) / 1000).toFixed(0)} s\n`,
)
process.exit(faults.length === 0 ? 0 : 1)
