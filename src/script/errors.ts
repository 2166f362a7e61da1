import { PermafrostError } from '../errors.ts'

/** TorchScript source that is not well formed. */
export class ScriptSyntaxError extends PermafrostError {
  readonly code = 'script-syntax'
}

/** Well-formed source that does not compile: unknown names, types that do not fit, wrong arguments. */
export class ScriptCompileError extends PermafrostError {
  readonly code = 'script-compile'
}

/** An archive whose pickled data and classes do not fit each other. */
export class ModuleLoadError extends PermafrostError {
  readonly code = 'module-load'
}

/** A module that cannot be written as an archive. */
export class ModuleSaveError extends PermafrostError {
  readonly code = 'module-save'
}
