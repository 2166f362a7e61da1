import { readFileSync } from 'node:fs'

interface ModelNames {
  /** Every torchvision 0.14 classification network without attention, and the worked example. */
  readonly all: readonly string[]
  /** One or two small ones of each family: what CI has time for. */
  readonly quick: readonly string[]
}

const known = JSON.parse(
  readFileSync(new URL('../../scripts/oracle/models.json', import.meta.url), 'utf8'),
) as ModelNames

/** What to compare: PERMAFROST_ORACLE_MODELS=a,b; PERMAFROST_ORACLE_ALL=1; else the quick ones. */
export function chosenModels(): readonly string[] {
  const chosen = process.env['PERMAFROST_ORACLE_MODELS']
  if (chosen !== undefined) return chosen.split(',')
  return process.env['PERMAFROST_ORACLE_ALL'] === '1' ? known.all : known.quick
}
