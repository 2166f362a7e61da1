import { crc32 } from '../archive/crc32.ts'
import { openOneDnn } from '../backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../backends/onednn/onednn-backend.ts'
import { writePrepacked } from '../backends/onednn/prepacked.ts'
import type { PackedConstant } from '../backends/onednn/weight-cache.ts'
import type { Inputs } from '../runtime/input-binding.ts'
import { checkSessionOptions } from '../runtime/session-checks.ts'
import { createSession, type Explanation, type SessionOptions } from '../runtime/session.ts'
import type { ScriptModule } from '../script/load-module.ts'
import { runnableCopy } from './runnable-copy.ts'
import { rootOf } from './session.ts'

export type PrepackOptions = Pick<SessionOptions, 'method' | 'threads' | 'tune'>

/**
 * The module with its constants packed beside it, for the layouts that oneDNN takes for these inputs: a session on the
 * saved file need not pack them again. Freeze the module first: what freezing folds can only be told again by a file that
 * holds it. The code and the plain constants stay as they are, and libtorch loads the file.
 *
 * @throws OneDnnMissingError, OneDnnVersionError; InputError as `createSession`; what running the module throws
 */
export function prepack(
  module: ScriptModule,
  inputs: Inputs | readonly unknown[],
  options: PrepackOptions = {},
): ScriptModule {
  return packConstants(module, inputs, options).module
}

/** What `prepack` did. */
export interface Prepacking {
  readonly module: ScriptModule
  /** Constants that were packed, and their bytes in the layouts of the library. */
  readonly constants: number
  readonly bytes: number
  /** Why there are none, if there are none. */
  readonly reason?: string
}

/** As `prepack`; tells besides how much was packed. */
export function packConstants(
  module: ScriptModule,
  inputs: Inputs | readonly unknown[],
  options: PrepackOptions = {},
): Prepacking {
  rootOf(module)
  checkSessionOptions(options)
  const packed: PackedConstant[] = []
  const dnnl = openOneDnn()
  const backend = createOneDnnBackend(dnnl, (constant) => packed.push(constant))
  const { root } = runnableCopy(module, options.method ?? 'forward')
  const session = createSession(root, { ...options, backend })
  try {
    session.runSync(inputs)
    const files = writePrepacked(packed, dnnl, backend.measurements, checksumOf)
    return {
      module: { ...module, extra: new Map([...module.extra, ...files]) },
      constants: packed.length,
      bytes: packed.reduce((sum, { content }) => sum + content.length, 0),
      ...(packed.length === 0 && { reason: whyNothing(session.explain()) }),
    }
  } finally {
    session.dispose()
    backend.dispose()
  }
}

function checksumOf({ tensor: { storage } }: PackedConstant): number {
  return storage.checksum ?? crc32(storage.bytes)
}

function whyNothing({ unfrozen, plans, interpreted: [first] }: Explanation): string {
  if (unfrozen !== undefined) return `the module is not frozen: ${unfrozen}`
  if (plans.length === 0) return 'the interpreter runs all of it'
  return first === undefined
    ? 'no kernel that it runs wants a constant in another layout'
    : `it is planned in parts around ${first.node} (${first.reason}), and none of them holds a constant to pack`
}
