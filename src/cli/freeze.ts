import { basename, extname } from 'node:path'
import { constantPropagation } from '../passes/constant-propagation.ts'
import { eliminateDeadCodePass } from '../passes/eliminate-dead-code.ts'
import { freezeByName } from '../passes/freeze-by-name.ts'
import { freeze } from '../passes/freeze-module.ts'
import {
  formatFreezeReport,
  formatFreezeReportAsMarkdown,
  type FreezeReport,
} from '../passes/freeze-report.ts'
import type { PassOptions } from '../passes/pass-manager.ts'
import { numericsPipeline } from '../passes/pipelines.ts'
import { peephole } from '../passes/peephole.ts'

import type { ScriptModule } from '../script/load-module.ts'
import { saveModule } from '../script/save-module.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { formatBytes } from './format.ts'
import { findMethod, loadModel } from './model.ts'
import { passOptions } from './pass-options.ts'
import { packedAsAsked, packedLine, prepackOptions, type PackedReport } from './prepack.ts'
import type { Verb } from './verb.ts'
import { writeOutputs } from './write-outputs.ts'

export const freezeVerb: Verb = {
  name: 'freeze',
  summary: 'makes attributes constants, folds what it can, and writes the model again',
  usage:
    'freeze MODEL -o OUT [--params weight,bias,running_mean,running_var] [--flag training=false]... [--preserve NAME]... [--no-fold] [--skip PASSES] [--report FILE] [--prepack onednn [--input V]... [--inputs FILE.npz] [--tune] [--threads N]]',
  options: {
    output: { type: 'string', short: 'o' },
    params: { type: 'string' },
    flag: { type: 'string', multiple: true },
    preserve: { type: 'string', multiple: true },
    'no-fold': { type: 'boolean' },
    skip: { type: 'string' },
    method: { type: 'string' },
    report: { type: 'string' },
    ...prepackOptions,
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
    const frozen = freezeModel(loadModel(path), path, args)
    const { module, packed } = packedAsAsked(frozen.module, args)
    if (packed?.reason !== undefined) out.message(`warning: nothing was packed: ${packed.reason}`)
    const report: Report = { ...frozen.report, ...(packed && { prepacked: packed }) }
    const chunks = saveModule(module)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const reportFile = args.text('report')
    writeOutputs([
      { path: target, chunks },
      ...(reportFile === undefined
        ? []
        : [{ path: reportFile, chunks: [reportBytes(report, reportFile, `Freezing ${basename(path)}`)] }]),
    ])
    if (out.json) out.document({ output: target, bytes, ...report })
    out.print(reportText(report))
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
  const params = args.words('params')
  if (params?.length === 0) throw new UsageError('--params names no parameter')
  if (params !== undefined) return freezeNamed(model, path, args, params, options)
  const { module, report } = freeze(model.root, {
    ...options,
    preserved: args.texts('preserve'),
    flags: flagsOf(args),
    optimizeNumerics: !args.flag('no-fold'),
  })
  return { module: { ...model, root: module }, report }
}

/** Only the named parameters and flags of one method; the module keeps its shape but for what nobody reads any longer. */
function freezeNamed(
  model: ScriptModule,
  path: string,
  args: Arguments,
  params: readonly string[],
  options: PassOptions,
): { module: ScriptModule; report: FreezeReport } {
  const method = args.text('method') ?? 'forward'
  findMethod(model, method, path)
  const numerics = args.flag('no-fold') ? [] : numericsPipeline
  const { module, report } = freezeByName(model.root, method, {
    ...options,
    params,
    flags: flagsOf(args),
    passes: [peephole, constantPropagation, eliminateDeadCodePass, ...numerics],
    dropUnread: true,
  })
  return { module: { ...model, root: module }, report }
}

/** The report of the freeze, and of what was packed behind it. */
interface Report extends FreezeReport {
  readonly prepacked?: PackedReport
}

function reportBytes(report: Report, path: string, title: string): Uint8Array {
  return new TextEncoder().encode(`${reportText(report, extname(path), title).trimEnd()}\n`)
}

function reportText(report: Report, extension?: string, title?: string): string {
  if (extension === '.json') return JSON.stringify(report, undefined, 2)
  const isMarkdown = extension === '.md'
  const text = isMarkdown ? formatFreezeReportAsMarkdown(report, title) : formatFreezeReport(report)
  const { prepacked } = report
  return prepacked === undefined ? text : `${text}${isMarkdown ? '\n' : '\n\n'}${packedLine(prepacked)}`
}
