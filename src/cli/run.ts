import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import { encodeUtf8 } from '../archive/utf8.ts'
import { writeNpz } from '../archive/npz.ts'
import type { IValue } from '../ir/ivalue.ts'
import type { FileContent } from '../node/files.ts'
import { backendNames } from '../node/session.ts'
import { createEnvironment } from '../runtime/environment.ts'
import { runMethod } from '../runtime/module-runner.ts'
import type { Explanation, Session } from '../runtime/session.ts'
import type { ScriptModule } from '../script/load-module.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { inputOptions, readInputs, type GivenInputs } from './inputs.ts'
import { findMethod, loadModel } from './model.ts'
import { flattenOutputs } from '../runtime/outputs.ts'
import type { Arguments } from './arguments.ts'
import { chromeTrace } from './chrome-trace.ts'
import { UsageError } from './errors.ts'
import { explanationLines } from './explain.ts'
import { copyInputs } from './fresh-inputs.ts'
import { describe, summaryLine } from './output-summary.ts'
import {
  checkBackend,
  openSession,
  servedBy,
  sessionOptions,
  threadsOf,
  type BackendName,
} from './session-options.ts'
import type { Verb } from './verb.ts'
import { writeOutputs } from './write-outputs.ts'

export const runVerb: Verb = {
  name: 'run',
  summary: 'runs a method and shows or writes its outputs; on a named backend, frozen and planned',
  usage:
    'run MODEL [--method forward] [--input V]... [--inputs FILE.npz] [-o OUT.npz] [--backend reference|onednn] [--threads N] [--tune] [--repeat N] [--explain] [--profile [--trace FILE.json]]',
  options: {
    ...inputOptions,
    ...sessionOptions,
    method: { type: 'string' },
    output: { type: 'string', short: 'o' },
    repeat: { type: 'string' },
    explain: { type: 'boolean' },
    profile: { type: 'boolean' },
    trace: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const backend = backendOf(args)
    const repeat = Math.floor(args.number('repeat', 1) ?? 1)
    const path = args.positionals[0] as string
    const method = args.text('method') ?? 'forward'
    const runner = openRunner(args, loadModel(path), backend, method, (text) => out.message(text))
    const { outputs, times } = runTimes(runner, repeat)
    const explanation = explain(args, runner)
    writeOutputs(filesOf(args, outputs, explanation))
    if (out.json)
      out.document({
        method,
        ...servedBy(runner.session, backend),
        milliseconds: times,
        outputs: [...outputs].map(describe),
        ...(args.text('output') !== undefined && { output: args.text('output') }),
        ...(explanation && { explanation }),
      })
    for (const entry of outputs) out.print(summaryLine(entry))
    if (explanation) for (const line of explanationLines(explanation, args.flag('profile'))) out.print(line)
    out.print(`${method} took ${timesLine(times)} ms`)
    runner.session?.dispose()
    return 0
  },
}

/** @throws UsageError for options that would be of no effect */
function backendOf(args: Arguments): BackendName {
  if (args.text('backend') === undefined)
    for (const name of ['threads', 'tune'])
      if (args.text(name) !== undefined || args.flag(name))
        throw new UsageError(`--${name} is for a backend`, {}, `add --backend ${backendNames.join(' or ')}`)
  if (args.text('trace') !== undefined && !args.flag('profile'))
    throw new UsageError('--trace is where --profile writes to', {}, 'add --profile')
  threadsOf(args)
  return checkBackend(args.text('backend') ?? 'reference')
}

interface Runner {
  readonly session?: Session
  readonly inputs: GivenInputs
  readonly run: (inputs: GivenInputs, profile?: boolean) => IValue
}

function openRunner(
  args: Arguments,
  model: ScriptModule,
  backend: BackendName,
  method: string,
  message: (text: string) => void,
): Runner {
  const inputs = readInputs(args)
  const isPlanned =
    args.text('backend') === 'onednn' || ['explain', 'profile'].some((name) => args.flag(name))
  if (!isPlanned) return { inputs, run: (given) => runModel(model, method, given, message) }
  findMethod(model, method, model.name)
  const session = openSession(args, model, backend, method, message)
  return { session, inputs, run: (given, profile = false) => session.runValues(given, profile) }
}

/** The last of so many runs, and the milliseconds of each; all are given the same. */
function runTimes(
  { run, inputs }: Runner,
  repeat: number,
): { outputs: Map<string, Tensor>; times: number[] } {
  const times: number[] = []
  let outputs = new Map<string, Tensor>()
  for (let i = 0; i < repeat; i++) {
    const given = copyInputs(inputs)
    const start = performance.now()
    const value = run(given)
    times.push(performance.now() - start)
    outputs = flattenOutputs(value)
  }
  return { outputs, times }
}

function filesOf(
  args: Arguments,
  outputs: ReadonlyMap<string, Tensor>,
  explanation: Explanation | undefined,
): FileContent[] {
  const files: FileContent[] = []
  const target = args.text('output')
  if (target !== undefined) files.push({ path: target, chunks: writeNpz(outputs) })
  if (explanation && args.flag('profile')) {
    const path = args.text('trace') ?? `${basename(args.positionals[0] ?? '', '.pt')}.trace.json`
    files.push({ path, chunks: [encodeUtf8(JSON.stringify(chromeTrace(explanation)))] })
  }
  return files
}

/** One more run that is profiled, if that is asked for: taking times takes time. */
function explain(args: Arguments, { session, inputs, run }: Runner): Explanation | undefined {
  if (session === undefined || !(args.flag('explain') || args.flag('profile'))) return undefined
  if (args.flag('profile')) run(copyInputs(inputs), true)
  return session.explain()
}

function timesLine(times: readonly number[]): string {
  const digits = (time: number): string => time.toFixed(time < 10 ? 2 : 1)
  if (times.length < 5) return times.map(digits).join(', ')
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number): string => digits(sorted[Math.round(part * (sorted.length - 1))] ?? 0)
  return `${digits(times[0] ?? 0)} at first, then ${at(0)} to ${at(1)}, mostly ${at(0.5)},`
}

/** Runs a method of a model on inputs as given on the command line. */
export function runModel(
  model: ScriptModule,
  method: string,
  inputs: GivenInputs,
  message: (text: string) => void,
): IValue {
  findMethod(model, method, model.name)
  const environment = createEnvironment({
    warn: (text) => message(`warning: ${text}`),
    print: (text) => message(text.trimEnd()),
  })
  return runMethod(model.root, method, inputs, environment)
}
