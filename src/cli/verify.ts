import { freeze } from '../passes/freeze-module.ts'
import type { ScriptModule } from '../script/load-module.ts'
import type { Arguments } from './arguments.ts'
import { compareOutputs, type Comparison } from './compare.ts'
import { formatError } from './format.ts'
import { flagsOf } from './freeze.ts'
import { inputOptions, readInputs } from './inputs.ts'
import { loadModel } from './model.ts'
import { flattenOutputs } from './outputs.ts'
import { passOptions } from './pass-options.ts'
import { runModel } from './run.ts'
import type { Verb } from './verb.ts'

const defaultTolerance = 1e-5

export const verifyVerb: Verb = {
  name: 'verify',
  summary: 'runs two models, or a model and its frozen form, on the same inputs and compares',
  usage: 'verify A [B] [--input V]... [--inputs FILE.npz] [--method forward] [--rtol R] [--atol A]',
  options: {
    ...inputOptions,
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
    const inputs = readInputs(args)
    // Each model is loaded by itself: a run may change the state of a module.
    const before = loadModel(first)
    const after = second === undefined ? frozenForm(loadModel(first), method, args) : loadModel(second)
    const [a, b] = [before, after].map((model) =>
      flattenOutputs(runModel(model, method, inputs, (text) => out.message(text))),
    )
    const comparisons = compareOutputs(a ?? new Map(), b ?? new Map(), tolerance)
    const equal = comparisons.every((comparison) => comparison.equal)
    if (out.json) out.document({ equal, ...tolerance, outputs: comparisons })
    for (const comparison of comparisons) out.print(line(comparison))
    out.print(equal ? `equal within rtol ${tolerance.rtol}, atol ${tolerance.atol}` : 'different')
    return equal ? 0 : 1
  },
}

function frozenForm(model: ScriptModule, method: string, args: Arguments): ScriptModule {
  const { module } = freeze(model.root, {
    ...passOptions(args),
    preserved: [...args.texts('preserve'), ...(method === 'forward' ? [] : [method])],
    flags: flagsOf(args),
    optimizeNumerics: !args.flag('no-fold'),
  })
  return { ...model, root: module }
}

function line({ name, equal, reason, maxAbsolute, maxRelative }: Comparison): string {
  const verdict = equal ? 'equal    ' : 'DIFFERENT'
  return `${verdict} ${name}: ${reason ?? `max error ${formatError(maxAbsolute)}, relative ${formatError(maxRelative)}`}`
}
