import { readArchive } from './archive/archive.ts'
import { cleanUpCompiledGraph } from './passes/compile-cleanup.ts'
import { compileFunction } from './script/function-compiler.ts'
import { loadModule, type ScriptModule } from './script/load-module.ts'
import type { CompileFunction } from './script/source-importer.ts'
import { saveModule } from './script/save-module.ts'

/**
 * Opens a TorchScript archive: what `torch.jit.load` does. Methods are compiled when first asked for; tensors are
 * views of `bytes`, which must not change.
 *
 * @throws NotTorchScriptError for other formats, ZipFormatError and its kin for damage, ScriptSyntaxError,
 *   ScriptCompileError, ModuleLoadError
 */
export function loadBytes(bytes: Uint8Array): ScriptModule {
  return loadModule(readArchive(bytes), createCompiler())
}

/**
 * The bytes of a `.pt` that `torch.jit.load` accepts, in one piece. `saveModule` gives them in pieces without a copy.
 *
 * @throws ModuleSaveError
 */
export function saveBytes(module: ScriptModule): Uint8Array {
  const chunks = saveModule(module)
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** The compiler with what libtorch does to every graph before anybody sees it; warnings are numbered in its life. */
export function createCompiler(): CompileFunction {
  let warnings = 0
  return (...definition) => {
    const compiled = compileFunction(...definition)
    warnings = cleanUpCompiledGraph(compiled.graph, warnings)
    return compiled
  }
}
