import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Inputs } from '../runtime/input-binding.ts'
import { findSampleInputs } from '../runtime/sample-inputs.ts'
import type { Session } from '../runtime/session.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { formatBytes } from './format.ts'
import { copyInputs } from './fresh-inputs.ts'
import { inputOptions, readInputs } from './inputs.ts'
import { findMethod, loadModel } from './model.ts'
import { checkBackend, openSession, sessionOptions, type BackendName } from './session-options.ts'
import type { Output, Verb } from './verb.ts'

const defaultSeconds = 3

/** One file on one backend. Times are in milliseconds. */
interface Candidate {
  readonly name: string
  /** Why another backend than the one that was asked for serves. */
  readonly fallback?: string
  readonly session: Session
  /** Reading the file; freezing it; planning and the first answer. */
  readonly load: number
  readonly freeze: number
  readonly first: number
  readonly times: number[]
}

export const benchVerb: Verb = {
  name: 'bench',
  summary: 'takes the time of a model, beside another file or on several backends, in turn',
  usage:
    'bench MODEL [--vs FILE] [--method forward] [--input V]... [--inputs FILE.npz] [--backend onednn,reference] [--threads N] [--tune] [--seconds S] [--repeat N]',
  options: {
    ...inputOptions,
    ...sessionOptions,
    vs: { type: 'string' },
    method: { type: 'string' },
    seconds: { type: 'string' },
    repeat: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const [path = ''] = args.positionals
    const backends = (args.words('backend') ?? ['onednn']).map(checkBackend)
    if (backends.length === 0) throw new UsageError('--backend names none')
    const other = args.text('vs')
    const files = labelled(other === undefined ? [path] : [path, other])
    const inputs = inputsFor(args, path, (text) => out.message(text))
    const candidates = files.flatMap((file) =>
      backends.map((backend) => prepare(args, file, backend, inputs, (text) => out.message(text))),
    )
    takeTurns(candidates, inputs, args)
    report(candidates, out)
    for (const { session } of candidates) session.dispose()
    return 0
  },
}

/** Those that are given, or random ones that the first file takes. */
function inputsFor(args: Arguments, path: string, message: (text: string) => void): Inputs {
  const given = readInputs(args)
  if (given.positional.length > 0 || Object.keys(given.named).length > 0) return given
  const method = args.text('method') ?? 'forward'
  const { values, description } = findSampleInputs(() => loadModel(path).root, { method })
  if (values.length > 0) message(`random inputs: ${description}`)
  return { positional: values }
}

interface BenchFile {
  readonly path: string
  readonly label: string
}

/** Files by their names without folders, if those tell them apart. */
function labelled(paths: readonly string[]): BenchFile[] {
  const names = paths.map((path) => basename(path))
  const areDistinct = new Set(names).size === names.length
  return paths.map((path) => ({ path, label: areDistinct ? basename(path) : path }))
}

function prepare(
  args: Arguments,
  { path, label }: BenchFile,
  backend: BackendName,
  inputs: Inputs,
  message: (text: string) => void,
): Candidate {
  const method = args.text('method') ?? 'forward'
  const start = performance.now()
  const model = loadModel(path)
  findMethod(model, method, path)
  const loaded = performance.now()
  const session = openSession(args, model, backend, method, message)
  const frozen = performance.now()
  const given = copyInputs(inputs)
  const ready = performance.now()
  session.runValues(given)
  const first = performance.now() - ready
  const { backend: name, fallback } = session.explain()
  return {
    name: `${label} on ${name}`,
    ...(fallback !== undefined && { fallback }),
    session,
    load: loaded - start,
    freeze: frozen - loaded,
    first,
    times: [],
  }
}

/** A call of each in turn, until the time is over or all have run so often; each starts every other round. */
function takeTurns(candidates: readonly Candidate[], inputs: Inputs, args: Arguments): void {
  const repeat = args.number('repeat', 1) ?? Infinity
  const seconds = args.number('seconds', 0) ?? (repeat === Infinity ? defaultSeconds : Infinity)
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < repeat && (round === 0 || performance.now() < end); round++)
    for (const { session, times } of round % 2 === 0 ? candidates : [...candidates].reverse()) {
      const given = copyInputs(inputs)
      const start = performance.now()
      session.runValues(given)
      times.push(performance.now() - start)
    }
}

interface Measured {
  readonly name: string
  readonly fallback?: string
  readonly load: number
  readonly freeze: number
  readonly first: number
  readonly median: number
  readonly p10: number
  readonly p90: number
  readonly runs: number
  /** Of medians, to the first candidate's. */
  readonly ratio: number
  readonly arenaBytes: number
  readonly packedBytes: number
}

function measured(candidate: Candidate, base: Candidate): Measured {
  const { name, fallback, session, load, freeze, first, times } = candidate
  const { plans } = session.explain()
  const median = quantile(times, 0.5)
  return {
    name,
    ...(fallback !== undefined && { fallback }),
    ...{ load, freeze, first, median },
    p10: quantile(times, 0.1),
    p90: quantile(times, 0.9),
    runs: times.length,
    ratio: median / quantile(base.times, 0.5),
    arenaBytes: plans.reduce((sum, plan) => sum + plan.arenaBytes, 0),
    packedBytes: plans.reduce((sum, plan) => sum + plan.constantBytes, 0),
  }
}

function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.round(part * (sorted.length - 1))] ?? NaN
}

function report(candidates: readonly Candidate[], out: Output): void {
  const rows = candidates.map((candidate) => measured(candidate, candidates[0] as Candidate))
  const peakBytes = process.resourceUsage().maxRSS * 1024
  if (out.json) out.document({ results: rows, peakBytes })
  const ms = (time: number): string => `${time.toFixed(time < 10 ? 2 : 1)} ms`
  for (const { name, load, freeze, first, median, p10, p90, runs, ratio, arenaBytes, packedBytes } of rows) {
    out.print(name)
    out.print(`  load ${ms(load)}, freeze ${ms(freeze)}, plan and first answer ${ms(first)}`)
    const beside = rows.length > 1 ? `, ${ratio.toFixed(2)}× the first` : ''
    out.print(`  median ${ms(median)} (${ms(p10)} to ${ms(p90)} for 8 of 10) of ${runs} runs${beside}`)
    if (arenaBytes > 0 || packedBytes > 0)
      out.print(`  arena ${formatBytes(arenaBytes)}, packed weights ${formatBytes(packedBytes)}`)
  }
  out.print(`peak memory of the process ${formatBytes(peakBytes)}`)
}
