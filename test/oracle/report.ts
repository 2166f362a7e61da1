import { writeFileSync } from 'node:fs'

/** What the oracle measured for one file; errors are relative to the largest output. */
export interface ReportRow {
  readonly model: string
  readonly kind: string
  /** libtorch in float32 and we, each against libtorch in float64. */
  libtorchItself?: number
  exact?: number
  original?: number
  frozen?: number
  /** Of a session on oneDNN. */
  oneDnn?: number
  frozenInLibtorch?: number
  frozenInSecondLibtorch?: number
  savedInLibtorch?: number
  savedInSecondLibtorch?: number
  /** Methods looked at; those whose inlined graph is libtorch's; those that are but for types and attributes. */
  graphs?: number
  equalGraphs?: number
  equalStructures?: number
  /** The frozen graph beside that of torch.jit.freeze. */
  frozenGraph?: 'same' | 'less' | 'other'
  /** First line of each failure. */
  readonly errors: string[]
}

const columns = [
  ['torch:f64', 'libtorchItself'],
  ['ours:f64', 'exact'],
  ['original', 'original'],
  ['frozen', 'frozen'],
  ['onednn', 'oneDnn'],
  ['fr.torch', 'frozenInLibtorch'],
  ['fr.torch2', 'frozenInSecondLibtorch'],
  ['saved', 'savedInLibtorch'],
  ['sv.torch2', 'savedInSecondLibtorch'],
] as const

/** Writes the rows as JSON and prints them as a table. */
export function writeReport(path: string, rows: readonly ReportRow[]): void {
  writeFileSync(path, `${JSON.stringify(rows, undefined, 2)}\n`)
  const head = `${'model'.padEnd(30)}${columns.map(([name]) => name.padStart(10)).join('')}  graphs   frozen graph`
  process.stdout.write(`${[head, ...rows.map(formatRow), summary(rows)].join('\n')}\n`)
}

function formatRow(row: ReportRow): string {
  const errors = columns.map(([, key]) => (row[key]?.toExponential(1) ?? '-').padStart(10))
  const graphs = `${row.equalGraphs ?? '-'}/${row.graphs ?? '-'}`
  const failures = row.errors.map((line) => `\n    ${line}`).join('')
  return `${row.model.padEnd(20)} ${row.kind.padEnd(9)}${errors.join('')}  ${graphs.padEnd(8)} ${row.frozenGraph ?? '-'}${failures}`
}

function summary(rows: readonly ReportRow[]): string {
  const sum = (key: 'graphs' | 'equalGraphs' | 'equalStructures'): number =>
    rows.reduce((total, row) => total + (row[key] ?? 0), 0)
  const count = (outcome: string): number => rows.filter((row) => row.frozenGraph === outcome).length
  const worst = columns.map(([name, key]) => {
    const values = rows.flatMap((row) => row[key] ?? [])
    return `${name} ${values.length === 0 ? '-' : Math.max(...values).toExponential(1)} of ${values.length}`
  })
  return [
    `graphs equal to libtorch's: ${sum('equalGraphs')} of ${sum('graphs')} (but for types and attributes: ${sum('equalStructures')})`,
    `frozen graphs equal to torch.jit.freeze's: ${count('same')}, with less nodes: ${count('less')}, of ${rows.length}`,
    `largest errors: ${worst.join(', ')}`,
  ].join('\n')
}
