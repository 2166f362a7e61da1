import { constantPropagation } from '../passes/constant-propagation.ts'
import { eliminateDeadCodePass } from '../passes/eliminate-dead-code.ts'
import { freezeFlags } from '../passes/freeze-flags.ts'
import { freeze } from '../passes/freeze-module.ts'
import { freezeParams } from '../passes/freeze-params.ts'
import { formatFreezeReport, type FreezeEntry, type FreezeReport } from '../passes/freeze-report.ts'
import { runPasses, type PassOptions } from '../passes/pass-manager.ts'
import { numericsPipeline } from '../passes/pipelines.ts'
import { peephole } from '../passes/peephole.ts'
import { writeFilesAtomically } from '../node/files.ts'
import type { ScriptModule } from '../script/load-module.ts'
import { saveModule } from '../script/save-module.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { formatBytes } from './format.ts'
import { findMethod, loadModel } from './model.ts'
import { passOptions } from './pass-options.ts'
import type { Verb } from './verb.ts'

export const freezeVerb: Verb = {
  name: 'freeze',
  summary: 'makes attributes constants, folds what it can, and writes the model again',
  usage:
    'freeze MODEL -o OUT [--params weight,bias,running_mean,running_var] [--flag training=false]... [--preserve NAME]... [--no-fold] [--skip PASSES] [--report FILE]',
  options: {
    output: { type: 'string', short: 'o' },
    params: { type: 'string' },
    flag: { type: 'string', multiple: true },
    preserve: { type: 'string', multiple: true },
    'no-fold': { type: 'boolean' },
    skip: { type: 'string' },
    method: { type: 'string' },
    report: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const path = args.positionals[0] as string
    const target = args.text('output')
    if (target === undefined)
      throw new UsageError(
        'say with -o where to write the frozen model',
        {},
        `usage: permafrost ${this.usage}`,
      )
    const { module, report } = freezeModel(loadModel(path), path, args)
    const chunks = saveModule(module)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const reportFile = args.text('report')
    writeFilesAtomically([
      { path: target, chunks },
      ...(reportFile === undefined ? [] : [{ path: reportFile, chunks: [reportBytes(report, reportFile)] }]),
    ])
    if (out.json) out.document({ output: target, bytes, ...report })
    out.print(formatFreezeReport(report))
    out.print(`wrote ${target}, ${formatBytes(bytes)}`)
    return 0
  },
}

/** The flags of `--flag training=false`. */
export function flagsOf(args: Arguments): Record<string, boolean> {
  return Object.fromEntries(
    args.texts('flag').map((text) => {
      const match = /^(\w+)=(true|false|0|1)$/i.exec(text)
      if (match === null) throw new UsageError(`--flag takes NAME=true or NAME=false, not '${text}'`)
      return [match[1] as string, /^(?:true|1)$/i.test(match[2] as string)]
    }),
  )
}

function freezeModel(
  model: ScriptModule,
  path: string,
  args: Arguments,
): { module: ScriptModule; report: FreezeReport } {
  const options = passOptions(args)
  const fold = !args.flag('no-fold')
  const params = args.words('params')
  if (params?.length === 0) throw new UsageError('--params names no parameter')
  if (params !== undefined) return freezeByName(model, path, args, params, fold, options)
  const { module, report } = freeze(model.root, {
    ...options,
    preserved: args.texts('preserve'),
    flags: flagsOf(args),
    optimizeNumerics: fold,
  })
  return { module: { ...model, root: module }, report }
}

/** Only the named parameters and flags of one method; the module keeps its shape. */
function freezeByName(
  model: ScriptModule,
  path: string,
  args: Arguments,
  params: readonly string[],
  fold: boolean,
  options: PassOptions,
): { module: ScriptModule; report: FreezeReport } {
  const method = args.text('method') ?? 'forward'
  findMethod(model, method, path)
  let root = model.root
  const reports: FreezeReport[] = []
  for (const name of params) {
    const frozen = freezeParams(root, method, name, options)
    root = frozen.module
    reports.push(frozen.report)
  }
  for (const [flag, value] of Object.entries(flagsOf(args))) {
    const frozen = freezeFlags(root, method, flag, value, options)
    root = frozen.module
    reports.push(frozen.report)
  }
  const { graph } = findMethod({ ...model, root }, method, path)
  const passes = runPasses(
    graph,
    [peephole, constantPropagation, eliminateDeadCodePass, ...(fold ? numericsPipeline : [])],
    options,
  )
  const report = mergeReports(reports)
  return { module: { ...model, root }, report: { ...report, passes: [...report.passes, ...passes] } }
}

/** One report of several freezes of one module: an attribute that one of them froze is frozen. */
function mergeReports(reports: readonly FreezeReport[]): FreezeReport {
  const entries = new Map<string, FreezeEntry>()
  for (const entry of reports.flatMap((report) => report.entries))
    if (entries.get(entry.path)?.status !== 'frozen') entries.set(entry.path, entry)
  return { entries: [...entries.values()], passes: reports.flatMap((report) => report.passes) }
}

function reportBytes(report: FreezeReport, path: string): Uint8Array {
  const text = path.endsWith('.json')
    ? `${JSON.stringify(report, undefined, 2)}\n`
    : `${formatFreezeReport(report)}\n`
  return new TextEncoder().encode(text)
}
