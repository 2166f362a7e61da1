import type { ScriptObject } from '../ir/ivalue.ts'
import type { Comparison, Tolerance } from '../runtime/compare.ts'
import type { Inputs } from '../runtime/input-binding.ts'
import { createEnvironment, type Environment } from '../runtime/environment.ts'
import type { GuiltyRewrite } from '../runtime/guilty-rewrite.ts'
import { findSampleInputs, resample } from '../runtime/sample-inputs.ts'
import type { FirstDifference } from '../runtime/value-record.ts'
import { verifyFreeze, verifyModules, type VerifyReport } from '../runtime/verify.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { formatError } from './format.ts'
import { flagsOf } from './freeze.ts'
import { inputOptions, readInputs } from './inputs.ts'
import { findMethod, loadModel } from './model.ts'
import { passOptions } from './pass-options.ts'
import type { Output, Verb } from './verb.ts'

const defaultTolerance = 1e-5

export const verifyVerb: Verb = {
  name: 'verify',
  summary: 'runs two models, or a model and its frozen form, on the same inputs and compares',
  usage:
    'verify A [B] [--input V]... [--inputs FILE.npz] [--seed N] [--samples N] [--method forward] [--rtol R] [--atol A] [--flag NAME=BOOL]... [--preserve NAME]... [--no-fold] [--skip PASSES]',
  options: {
    ...inputOptions,
    seed: { type: 'string' },
    samples: { type: 'string' },
    method: { type: 'string' },
    rtol: { type: 'string' },
    atol: { type: 'string' },
    flag: { type: 'string', multiple: true },
    preserve: { type: 'string', multiple: true },
    'no-fold': { type: 'boolean' },
    skip: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 2, this.usage)
    const [first, second] = args.positionals as [string, string?]
    const method = args.text('method') ?? 'forward'
    const tolerance = { rtol: args.number('rtol', 0) ?? defaultTolerance, atol: args.number('atol', 0) ?? 0 }
    const environment = (): Environment =>
      createEnvironment({
        warn: (text) => out.message(`warning: ${text}`),
        print: (text) => out.message(text.trimEnd()),
      })
    // Each run has a model of its own: a run may change the state of a module.
    const openFirst = opener(first, method)
    const { samples, description } = samplesFor(args, openFirst, method)
    if (description !== undefined) out.message(`random inputs: ${description}`)
    const options = { method, samples, tolerance, environment }
    const report =
      second === undefined
        ? verifyFreeze(openFirst, { ...options, freezing: freezingOf(args) })
        : verifyModules(openFirst, opener(second, method), options)
    if (out.json) out.document(documentOf(report, description))
    else printReport(report, out)
    return report.equal ? 0 : 1
  },
}

function opener(path: string, method: string): () => ScriptObject {
  return () => {
    const model = loadModel(path)
    findMethod(model, method, path)
    return model.root
  }
}

interface Samples {
  readonly samples: readonly Inputs[]
  /** What random inputs are, in words. */
  readonly description?: string
}

function samplesFor(args: Arguments, open: () => ScriptObject, method: string): Samples {
  const given = readInputs(args)
  const [seed, count] = [args.number('seed', 0), args.number('samples', 1) ?? 1]
  if (![seed ?? 0, count].every(Number.isSafeInteger))
    throw new UsageError('--seed and --samples take whole numbers')
  if (given.positional.length > 0 || Object.keys(given.named).length > 0) {
    if (seed !== undefined) throw new UsageError('--seed is for random inputs, but inputs are given')
    return { samples: new Array<Inputs>(count).fill(given) }
  }
  const first = findSampleInputs(open, { method, seed: seed ?? 0 })
  const samples = Array.from({ length: count }, (_, i) => ({
    positional: (i === 0 ? first : resample(first, (seed ?? 0) + i)).values,
  }))
  return {
    samples,
    ...(first.values.length > 0 && { description: `${first.description}; seed ${seed ?? 0}` }),
  }
}

function freezingOf(args: Arguments): Parameters<typeof verifyFreeze>[1]['freezing'] & object {
  return {
    ...passOptions(args),
    preserved: args.texts('preserve'),
    flags: flagsOf(args),
    optimizeNumerics: !args.flag('no-fold'),
  }
}

/** What JSON shows: NaN and infinities as text. */
function documentOf(report: VerifyReport, inputs: string | undefined): unknown {
  const { samples, tolerance, firstDifference, ...rest } = report
  return {
    ...rest,
    ...tolerance,
    ...(inputs !== undefined && { inputs }),
    outputs: samples.flatMap((outputs, sample) =>
      outputs.map((comparison) => ({ sample, ...plain(comparison) })),
    ),
    ...(firstDifference && {
      firstDifference: { ...firstDifference, comparison: plain(firstDifference.comparison) },
    }),
  }
}

function plain(comparison: Comparison): object {
  const { worst } = comparison
  return {
    ...comparison,
    maxAbsolute: plainNumber(comparison.maxAbsolute),
    maxRelative: plainNumber(comparison.maxRelative),
    ...(worst && { worst: { ...worst, first: plainNumber(worst.first), second: plainNumber(worst.second) } }),
  }
}

function plainNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function printReport(
  { samples, tolerance, equal, guilty, firstDifference }: VerifyReport,
  out: Output,
): void {
  for (const [i, outputs] of samples.entries()) {
    if (samples.length > 1) out.print(`sample ${i}`)
    for (const comparison of outputs) out.print(line(comparison))
  }
  if (guilty) out.print(guiltLine(guilty))
  if (firstDifference) for (const text of differenceLines(firstDifference)) out.print(text)
  out.print(verdict(equal, tolerance))
}

function verdict(equal: boolean, { rtol, atol }: Tolerance): string {
  return equal ? `equal within rtol ${rtol}, atol ${atol}` : 'different'
}

function line(comparison: Comparison): string {
  return `${comparison.equal ? 'equal    ' : 'DIFFERENT'} ${comparison.name}: ${errorText(comparison)}`
}

function errorText({ equal, reason, maxAbsolute, maxRelative, nonFinite, worst }: Comparison): string {
  if (reason !== undefined) return reason
  const worstText =
    equal || worst === undefined
      ? ''
      : `, worst at [${worst.index.join(', ')}]: ${worst.first} against ${worst.second}`
  const others = nonFinite === 0 ? '' : `, ${nonFinite} NaN or infinite on one side only`
  return `max error ${formatError(maxAbsolute)}, relative ${formatError(maxRelative)}${worstText}${others}`
}

function guiltLine({ pass, number, node, value, why, source }: GuiltyRewrite): string {
  const at = node === undefined ? '' : `, of ${node}${value === undefined ? '' : ` %${value}`}`
  const where = source === undefined ? '' : `, written as ${source}`
  return `guilty: ${pass}, rewrite ${number}${at}${why === undefined ? '' : `: ${why}`}${where}`
}

function differenceLines(difference: FirstDifference): string[] {
  const { value, node, source, otherValue, otherNode, comparison, equalBefore } = difference
  const other =
    otherValue === value && otherNode === node ? '' : ` (in the second %${otherValue} of ${otherNode})`
  const where = source === undefined ? '' : `, written as ${source}`
  return [
    `first difference: %${value} of ${node}${other}${where}, after ${equalBefore} equal values`,
    `  ${errorText(comparison)}`,
  ]
}
