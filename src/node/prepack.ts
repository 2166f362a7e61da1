import { crc32 } from '../archive/crc32.ts'
import { openOneDnn } from '../backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../backends/onednn/onednn-backend.ts'
import { writePrepacked } from '../backends/onednn/prepacked.ts'
import type { PackedConstant } from '../backends/onednn/weight-cache.ts'
import type { Inputs } from '../runtime/input-binding.ts'
import { createSession, type SessionOptions } from '../runtime/session.ts'
import type { ScriptModule } from '../script/load-module.ts'

/**
 * The module with its constants packed beside it, for the layouts that oneDNN takes for these inputs: a session on the
 * saved file need not pack them again. Freeze the module first: what freezing folds can only be told again by a file that
 * holds it. The code and the plain constants stay as they are, and libtorch loads the file.
 *
 * @throws OneDnnMissingError, OneDnnVersionError; what running the module throws
 */
export function prepack(
  module: ScriptModule,
  inputs: Inputs | readonly unknown[],
  options: Pick<SessionOptions, 'method' | 'threads' | 'tune'> = {},
): ScriptModule {
  const packed: PackedConstant[] = []
  const dnnl = openOneDnn()
  const backend = createOneDnnBackend(dnnl, (constant) => packed.push(constant))
  const session = createSession(module.root, { ...options, backend })
  try {
    session.runSync(inputs)
    const files = writePrepacked(
      packed,
      dnnl,
      backend.measurements,
      ({ tensor }) => tensor.storage.checksum ?? crc32(tensor.storage.bytes),
    )
    return { ...module, extra: new Map([...module.extra, ...files]) }
  } finally {
    session.dispose()
    backend.dispose()
  }
}
