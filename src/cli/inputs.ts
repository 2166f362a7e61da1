import { readNpz } from '../archive/npz.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { readFileBytes } from '../node/files.ts'
import { findSampleInputs } from '../runtime/sample-inputs.ts'
import { readNpy } from '../tensor/npy.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'

/** Inputs as given: values in order, and values by argument name. */
export interface GivenInputs {
  readonly positional: readonly unknown[]
  readonly named: Readonly<Record<string, unknown>>
}

export const inputOptions = {
  input: { type: 'string', multiple: true },
  inputs: { type: 'string' },
} as const

/**
 * The values of `--input V`, in order, and those of `--inputs FILE.npz`, by name or by position.
 *
 * @throws UsageError for a literal that is no JSON, FileError, NpyFormatError, ZipFormatError
 */
export function readInputs(args: Arguments): GivenInputs {
  const positional: unknown[] = args.texts('input').map(readValue)
  const named = Object.create(null) as Record<string, unknown>
  const file = args.text('inputs')
  if (file !== undefined) assignArrays(readNpz(readFileBytes(file)), positional, named)
  return { positional, named }
}

/** Whether any inputs are given at all. */
function givesInputs(args: Arguments): boolean {
  return args.texts('input').length > 0 || args.text('inputs') !== undefined
}

/** As `readInputs`; random inputs of the method where none are given. @param open makes the module to try them on, anew */
export function inputsOrSamples(args: Arguments, open: () => ScriptObject, method: string): GivenInputs {
  if (givesInputs(args)) return readInputs(args)
  return { positional: findSampleInputs(open, { method }).values, named: {} }
}

function assignArrays(
  arrays: ReadonlyMap<string, Tensor>,
  positional: unknown[],
  named: Record<string, unknown>,
): void {
  const most = positional.length + arrays.size
  for (const [name, tensor] of arrays) {
    if (!/^\d+$/.test(name)) named[name] = tensor
    else if (Number(name) < most) positional[Number(name)] = tensor
    else throw new UsageError(`the inputs name position ${name} but there are only ${most}`)
  }
  const hole = [...positional.keys()].find((i) => positional[i] === undefined)
  if (hole !== undefined)
    throw new UsageError(`the inputs name position ${positional.length - 1} but not ${hole}`)
}

function readValue(text: string): unknown {
  if (text.endsWith('.npy')) return readNpy(readFileBytes(text))
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new UsageError(
      `--input '${text}' is neither a .npy file nor JSON`,
      {},
      'quote text: --input \'"text"\'',
      { cause: error },
    )
  }
}
