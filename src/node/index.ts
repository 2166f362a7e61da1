/** The library with files: everything of the platform-neutral entry, and `load` and `save` by path. */
export * from '../index.ts'

export { prepack } from './prepack.ts'
export { createSession, type NodeSessionOptions } from './session.ts'
export { createOneDnnBackend } from '../backends/onednn/onednn-backend.ts'

import { loadBytes } from '../load.ts'
import type { ScriptModule } from '../script/load-module.ts'
import { saveModule } from '../script/save-module.ts'
import { readFileBytes, writeFileAtomically } from './files.ts'

/**
 * Opens a TorchScript archive, from a file or from bytes.
 *
 * @throws FileError, and what `loadBytes` throws
 */
export function load(source: string | Uint8Array): ScriptModule {
  return loadBytes(typeof source === 'string' ? readFileBytes(source) : source)
}

/**
 * Writes a module as a `.pt` that `torch.jit.load` accepts. The file is whole or not there.
 *
 * @throws FileError, ModuleSaveError
 */
export function save(module: ScriptModule, path: string): void {
  writeFileAtomically(path, saveModule(module))
}
