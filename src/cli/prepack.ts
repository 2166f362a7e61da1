import { packConstants } from '../node/prepack.ts'
import { runnableCopy } from '../node/runnable-copy.ts'
import type { ScriptModule } from '../script/load-module.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { formatBytes } from './format.ts'
import { inputOptions, inputsOrSamples } from './inputs.ts'
import { threadsOf } from './session-options.ts'

/** Options of packing constants behind a freeze. */
export const prepackOptions = {
  prepack: { type: 'string' },
  tune: { type: 'boolean' },
  threads: { type: 'string' },
  ...inputOptions,
} as const

/** What was packed; the names of the fields are stable. */
export interface PackedReport {
  readonly constants: number
  readonly bytes: number
  /** Why nothing was packed, if nothing was. */
  readonly reason?: string
}

export interface Packed {
  readonly module: ScriptModule
  readonly packed?: PackedReport
}

/**
 * The module with its constants packed for the inputs that are given, or random ones, if `--prepack` asks for it.
 *
 * @throws UsageError for another backend, and for options that would be of no effect
 */
export function packedAsAsked(module: ScriptModule, args: Arguments): Packed {
  const backend = args.text('prepack')
  const threads = threadsOf(args)
  if (backend === undefined) {
    checkUnneeded(args)
    return { module }
  }
  if (backend !== 'onednn')
    throw new UsageError(`nothing is packed for '${backend}'`, {}, 'there is: --prepack onednn')
  const method = args.text('method') ?? 'forward'
  const options = { method, threads, tune: args.flag('tune') }
  const inputs = inputsOrSamples(args, () => runnableCopy(module, method).root, method)
  const { module: result, ...packed } = packConstants(module, inputs, options)
  return { module: result, packed }
}

function checkUnneeded(args: Arguments): void {
  for (const name of ['tune', 'threads', 'inputs', 'input'])
    if (args.flag(name) || args.text(name) !== undefined || args.texts(name).length > 0)
      throw new UsageError(`--${name} is for packing constants`, {}, 'add --prepack onednn')
}

/** `packed 5 constants, 97.7 KB` */
export function packedLine({ constants, bytes }: PackedReport): string {
  return `packed ${constants} constants, ${formatBytes(bytes)}`
}
