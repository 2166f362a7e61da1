/**
 * Markdown of the newest lines of `.oracle/native.jsonl` for each model and number of threads: medians in milliseconds, our
 * ratio to the fastest peer, first answers, and peak memory.
 *
 *     node dist/bench/native-tables.js
 */
import { readFileSync } from 'node:fs'

interface Result {
  readonly peer: string
  readonly median: number
  readonly first: number
  readonly peak: number
  readonly error: number
}

interface Line {
  readonly model: string
  readonly threads: number
  readonly results: readonly Result[]
}

const lines = readFileSync('.oracle/native.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)
const newest = new Map(lines.map((line) => [`${line.model} ${line.threads}`, line]))
const threadCounts = [...new Set([...newest.values()].map(({ threads }) => threads))].sort()

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`| ${head.join(' | ')} |`)
  console.log(`| ${head.map(() => '---').join(' | ')} |`)
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
  console.log()
}

const digits = (value: number | undefined): string =>
  value === undefined ? '–' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
const isOurs = ({ peer }: Result): boolean => peer.startsWith('ours')
const best = (results: readonly Result[]): number => Math.min(...results.map(({ median }) => median))

for (const threads of threadCounts) {
  const chosen = [...newest.values()].filter((line) => line.threads === threads)
  const names = [...new Set(chosen.flatMap(({ results }) => results.map(({ peer }) => peer)))]
  const of = ({ results }: Line, name: string): Result | undefined =>
    results.find(({ peer }) => peer === name)
  console.log(`${threads} thread${threads > 1 ? 's' : ''}, medians, ms:\n`)
  table(
    ['model', ...names, 'ours tuned / fastest peer', 'error'],
    chosen.map((line) => {
      const peers = best(line.results.filter((result) => !isOurs(result)))
      const tuned = of(line, 'ours tuned')
      return [
        line.model,
        ...names.map((name) => digits(of(line, name)?.median)),
        tuned === undefined ? '–' : `${(tuned.median / peers).toFixed(2)}×`,
        tuned?.error.toExponential(1) ?? '–',
      ]
    }),
  )
  for (const [title, key] of [
    ['load, compile and first answer, ms', 'first'],
    ['peak memory, MB', 'peak'],
  ] as const) {
    console.log(`${threads} thread${threads > 1 ? 's' : ''}, ${title}:\n`)
    table(
      ['model', ...names],
      chosen.map((line) => [
        line.model,
        ...names.map((name) => String(Math.round(of(line, name)?.[key] ?? NaN))),
      ]),
    )
  }
}
