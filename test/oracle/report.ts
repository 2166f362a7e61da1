import { writeFileSync } from 'node:fs'

/** What the oracle measured for one file; errors are relative to the largest output. */
export interface ReportRow {
  readonly model: string
  readonly kind: string
  original?: number
  frozen?: number
  frozenInLibtorch?: number
  frozenInSecondLibtorch?: number
  savedInLibtorch?: number
  savedInSecondLibtorch?: number
  graphs?: number
  equalGraphs?: number
}

/** Writes the rows as JSON and prints them as a table. */
export function writeReport(path: string, rows: readonly ReportRow[]): void {
  writeFileSync(path, `${JSON.stringify(rows, undefined, 2)}\n`)
  const columns = [
    'original',
    'frozen',
    'frozenInLibtorch',
    'frozenInSecondLibtorch',
    'savedInLibtorch',
  ] as const
  const lines = rows.map((row) => {
    const errors = columns.map((column) => (row[column]?.toExponential(1) ?? '-').padStart(9))
    return `${row.model.padEnd(20)} ${row.kind.padEnd(9)}${errors.join('')}  ${row.equalGraphs ?? '-'}/${row.graphs ?? '-'}`
  })
  const total = rows.reduce((sum, row) => sum + (row.graphs ?? 0), 0)
  const equal = rows.reduce((sum, row) => sum + (row.equalGraphs ?? 0), 0)
  const head = `${'model'.padEnd(30)}${['original', 'frozen', 'fr.torch', 'fr.torch2', 'saved'].map((name) => name.padStart(9)).join('')}  graphs`
  process.stdout.write(`${[head, ...lines, `graphs equal to libtorch's: ${equal} of ${total}`].join('\n')}\n`)
}
