import type { PassStats } from './pass-manager.ts'

/** What became of one attribute. */
export interface FreezeEntry {
  /** From the root, `layer1.0.conv1.weight`. */
  readonly path: string
  readonly kind: 'parameter' | 'buffer' | 'attribute'
  readonly type: string
  /** Of its tensors. */
  readonly bytes: number
  /** Kinds of the nodes that used it. */
  readonly consumers: readonly string[]
  /** Frozen: constants took its place; kept: an attribute as before; dropped: gone, as nobody reads it. */
  readonly status: 'frozen' | 'kept' | 'refused' | 'dropped'
  /** Why it was not frozen. */
  readonly reason?: string
  /** Frozen, and passes have computed its tensors into others since. */
  readonly folded?: boolean
}

/** One pass over one method's graph. */
export interface FreezePass extends PassStats {
  readonly method: string
}

/** Sums; bytes are of tensors, shared ones counted once in each sum. */
export interface FreezeTotals {
  readonly attributes: number
  /** Attributes that were frozen. */
  readonly frozen: number
  readonly bytes: number
  readonly bytesFrozen: number
  /** Of the frozen ones: no constant holds them any longer. */
  readonly bytesFolded: number
  readonly bytesKept: number
  readonly bytesDropped: number
  /** What the frozen graphs hold in the end. */
  readonly bytesOfConstants: number
  /** Nodes of the methods' graphs, nested ones included, inlined and in the end. */
  readonly nodesBefore: number
  readonly nodesAfter: number
  /** In passes; 0 without a clock. */
  readonly milliseconds: number
}

/** What a freeze did with every attribute, and what its passes did. The names of the fields are stable. */
export interface FreezeReport {
  readonly entries: readonly FreezeEntry[]
  readonly passes: readonly FreezePass[]
  readonly totals: FreezeTotals
}

type Row = readonly string[]

const entryHeader = ['attribute', 'kind', 'type', 'bytes', 'used by', 'result']
const passHeader = ['pass', 'method', 'rewrites', 'nodes', 'ms']

/** One line per attribute, one per pass that changed something, and the sums. */
export function formatFreezeReport(report: FreezeReport): string {
  const passes = report.passes.filter(({ rewrites }) => rewrites > 0).map(passRow)
  return [
    ...alignRows([entryHeader, ...report.entries.map(entryRow)]),
    ...(passes.length > 0 ? ['', ...alignRows([passHeader, ...passes])] : []),
    '',
    ...summaryOf(report),
  ].join('\n')
}

/** The same as Markdown, with every pass. */
export function formatFreezeReportAsMarkdown(report: FreezeReport, title = 'Freeze report'): string {
  return [
    `# ${title}`,
    '',
    ...summaryOf(report).map((line) => `- ${line}`),
    '',
    '## Attributes',
    '',
    ...markdownTable([entryHeader, ...report.entries.map(entryRow)]),
    '',
    '## Passes',
    '',
    ...markdownTable([passHeader, ...report.passes.map(passRow)]),
    '',
  ].join('\n')
}

function entryRow(entry: FreezeEntry): Row {
  const folded = entry.folded === true ? ' and folded' : ''
  const because = entry.reason === undefined ? '' : ` because ${entry.reason}`
  return [
    entry.path,
    entry.kind,
    entry.type,
    String(entry.bytes),
    entry.consumers.join(' '),
    `${entry.status}${folded}${because}`,
  ]
}

function passRow(pass: FreezePass): Row {
  const nodes =
    pass.nodesBefore === pass.nodesAfter
      ? String(pass.nodesAfter)
      : `${pass.nodesBefore} to ${pass.nodesAfter}`
  return [pass.name, pass.method, String(pass.rewrites), nodes, pass.milliseconds.toFixed(1)]
}

function alignRows(rows: readonly Row[]): string[] {
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(i === columns - 1 ? 0 : (widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

function markdownTable([header = [], ...rows]: readonly Row[]): string[] {
  const line = (cells: Row): string =>
    `| ${cells.map((cell) => cell.replaceAll(/[|\\]/g, String.raw`\$&`)).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)]
}

function summaryOf({ totals }: FreezeReport): string[] {
  const { frozen, attributes } = totals
  return [
    `${frozen} of ${attributes} attributes frozen, ${totals.bytesFrozen} bytes of tensors`,
    `of ${totals.bytes} bytes, ${totals.bytesKept} kept as attributes, ${totals.bytesDropped} dropped; of the frozen ones ${totals.bytesFolded} folded into other constants; constants now hold ${totals.bytesOfConstants}`,
    `${totals.nodesBefore} nodes before, ${totals.nodesAfter} after, ${totals.milliseconds.toFixed(1)} ms in passes`,
  ]
}
