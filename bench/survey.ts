/**
 * Every torchvision model that scripts: our frozen graph beside torch.jit.freeze's, our frozen file in libtorch, bytes, time
 * and memory. Appends a line of JSON for each model as it ends to `.oracle/survey.jsonl`, and makes `docs/frozen-graphs.md`
 * of all lines there.
 *
 *     npm run survey -- [NAME …]      all models of bench/survey-models.txt when none is named
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'

const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
const folder = '.oracle/survey'
const log = '.oracle/survey.jsonl'

type Histogram = Readonly<Record<string, number>>

interface Row {
  readonly name: string
  readonly ours: Histogram
  readonly torch: Histogram
  /** Largest difference over largest element, in libtorch: our frozen file, and its own frozen module; or what differs. */
  readonly error: number | string
  readonly torchError: number | string
  /** Of our file frozen without what changes the last bits; measured where the error is beyond 1e-5. */
  readonly exactError?: number | string
  /** Elements of each output tensor. */
  readonly elements: readonly number[]
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly seconds: number
  readonly torchSeconds: number
  readonly peakMegabytes: number
}

function runPython(...args: readonly string[]): Record<string, unknown> {
  const run = spawnSync(python, ['-W', 'ignore', 'scripts/oracle/survey.py', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const last = run.stdout.trim().split('\n').at(-1) ?? ''
  if (run.status !== 0) return { failed: run.stderr.trim().split('\n').at(-1) ?? 'it failed' }
  return JSON.parse(last) as Record<string, unknown>
}

/** Freezes in a process of its own: its memory, and the time of loading, freezing and nothing else. */
const freezeScript = `
  const { load, freeze, save } = await import(process.argv[1])
  const start = performance.now()
  const model = load(process.argv[2])
  const { module } = freeze(model.root, { optimizeNumerics: process.argv[4] !== 'exact' })
  const seconds = (performance.now() - start) / 1000
  const nodes = {}
  for (const node of module.type.methods.get('forward').graph.nodes()) nodes[node.kind] = (nodes[node.kind] ?? 0) + 1
  save({ ...model, root: module }, process.argv[3])
  console.log(JSON.stringify({ nodes, seconds, peak: process.resourceUsage().maxRSS / 1024 }))`

function freeze(
  name: string,
  mode = 'numerics',
): { nodes: Histogram; seconds: number; peak: number } | { failed: string } {
  const library = new URL('../../dist/node/index.js', import.meta.url).href
  const run = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      freezeScript,
      library,
      `${folder}/${name}.pt`,
      `${folder}/${name}.frozen.pt`,
      mode,
    ],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  )
  if (run.status !== 0)
    return { failed: run.stderr.split('\n').find((line) => line.includes('Error')) ?? 'it failed' }
  return JSON.parse(run.stdout) as { nodes: Histogram; seconds: number; peak: number }
}

function survey(name: string): Row | string {
  const made = runPython('make', name, folder)
  if ('failed' in made) return `libtorch: ${String(made['failed'])}`
  const frozen = freeze(name)
  if ('failed' in frozen) return `ours: ${frozen.failed}`
  const bytesAfter = statSync(`${folder}/${name}.frozen.pt`).size
  const error = check(name)
  return {
    name,
    ours: frozen.nodes,
    torch: made['nodes'] as Histogram,
    error,
    torchError: made['error'] as number | string,
    elements: made['elements'] as number[],
    bytesBefore: statSync(`${folder}/${name}.pt`).size,
    bytesAfter,
    seconds: frozen.seconds,
    torchSeconds: made['seconds'] as number,
    peakMegabytes: frozen.peak,
    ...(typeof error === 'number' && error <= tolerance ? {} : { exactError: exactErrorOf(name) }),
  }
}

const tolerance = 1e-5

function check(name: string): number | string {
  const checked = runPython('check', name, folder)
  return ('failed' in checked ? checked['failed'] : checked['error']) as number | string
}

/** Detectors sort by scores, and what is sorted differently is another answer: folded batch norms change last bits. */
function exactErrorOf(name: string): number | string {
  const frozen = freeze(name, 'exact')
  return 'failed' in frozen ? frozen.failed : check(name)
}

const total = (histogram: Histogram): number => Object.values(histogram).reduce((sum, n) => sum + n, 0)

function rowsOfLog(): Row[] {
  if (!existsSync(log)) return []
  const rows = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
  return [...new Map(rows.map((row) => [row.name, row])).values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
const errorText = (error: number | string): string =>
  typeof error === 'number' ? error.toExponential(1) : error

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Per kind: in how many models we have more or fewer nodes, and how many in all. */
function kindTable(rows: readonly Row[]): string {
  const kinds = new Set(rows.flatMap(({ ours, torch }) => [...Object.keys(ours), ...Object.keys(torch)]))
  const differences = [...kinds].sort().map((kind) => {
    const by = rows.map(({ ours, torch }) => (ours[kind] ?? 0) - (torch[kind] ?? 0))
    const more = by.filter((n) => n > 0)
    const fewer = by.filter((n) => n < 0)
    const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
    return {
      kind,
      cells: [
        `\`${kind}\``,
        String(more.length),
        String(sum(more)),
        String(fewer.length),
        String(sum(fewer)),
      ],
    }
  })
  return table(
    ['kind', 'models with more', 'nodes more', 'models with fewer', 'nodes fewer'],
    differences.filter(({ cells }) => cells[1] !== '0' || cells[3] !== '0').map(({ cells }) => cells),
  )
}

function modelTable(rows: readonly Row[]): string {
  return table(
    ['model', 'our nodes', "libtorch's", 'error', "libtorch's own error", 'error without folding'],
    rows.map((row) => [
      row.name,
      String(total(row.ours)),
      String(total(row.torch)),
      errorText(row.error),
      errorText(row.torchError),
      row.exactError === undefined ? '' : errorText(row.exactError),
    ]),
  )
}

function largestTable(rows: readonly Row[]): string {
  const largest = [...rows].sort((a, b) => b.bytesBefore - a.bytesBefore).slice(0, 10)
  return table(
    ['model', 'MB before', 'MB after', 'our load + freeze, s', "libtorch's freeze, s", 'our peak memory, MB'],
    largest.map((row) => [
      row.name,
      megabytes(row.bytesBefore),
      megabytes(row.bytesAfter),
      row.seconds.toFixed(2),
      row.torchSeconds.toFixed(2),
      row.peakMegabytes.toFixed(0),
    ]),
  )
}

/** What stands between the markers is made here; the words around it are written by hand. */
function writeDocument(rows: readonly Row[]): void {
  const path = 'docs/frozen-graphs.md'
  const parts = {
    models: modelTable(rows),
    kinds: kindTable(rows),
    largest: largestTable(rows),
  }
  let text = readFileSync(path, 'utf8')
  for (const [name, content] of Object.entries(parts))
    text = text.replace(
      new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- end -->)`),
      (_, begin: string, end: string) => `${begin}\n${content}\n\n${end}`,
    )
  writeFileSync(path, text)
}

mkdirSync(folder, { recursive: true })
const named = process.argv.slice(2)
const names = named.length > 0 ? named : readFileSync('bench/survey-models.txt', 'utf8').trim().split('\n')
for (const name of names) {
  const row = survey(name)
  if (typeof row === 'string') console.log(`${name} FAILED ${row}`)
  else {
    appendFileSync(log, `${JSON.stringify(row)}\n`)
    console.log(
      `${name} nodes ${total(row.ours)} / ${total(row.torch)}, error ${errorText(row.error)} (${errorText(row.torchError)}), ` +
        `${row.seconds.toFixed(2)} s / ${row.torchSeconds.toFixed(2)} s`,
    )
  }
  for (const end of ['.pt', '.frozen.pt', '.outputs']) rmSync(`${folder}/${name}${end}`, { force: true })
}
writeDocument(rowsOfLog())
