import type { Archive } from '../archive/archive.ts'
import { PickleObject } from '../archive/pickle-values.ts'
import { ScriptObject, type IValue } from '../ir/ivalue.ts'
import { unshaped } from '../ir/type-relations.ts'
import { AnyT, type Type } from '../ir/types.ts'
import { ModuleLoadError } from './errors.ts'
import { SourceImporter, type CompileFunction } from './source-importer.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { Unpickler } from './unpickler.ts'

/** A loaded model: its root object, with everything that has to be kept to write it again. */
export interface ScriptModule {
  readonly root: ScriptObject
  /** Base name of the archive's top folder. */
  readonly name: string
  /** File format version: it says what the operators in the code mean. */
  readonly version: number
  readonly extra: ReadonlyMap<string, { readonly bytes: Uint8Array }>
}

/**
 * Compiles the classes of an archive (methods when first asked for) and fills their objects with the pickled data.
 *
 * @param compile turns a definition into a graph, `compileFunction` with what is to happen to its graphs
 * @throws ArchiveError and others of the archive stage, ScriptSyntaxError, ScriptCompileError, ModuleLoadError
 */
export function loadModule(archive: Archive, compile: CompileFunction): ScriptModule {
  const constants = new Map<number, { value: IValue; type: Type } | undefined>()
  const importer = new SourceImporter(archive, {
    compile,
    constants: (index) => {
      if (!constants.has(index)) constants.set(index, readConstant(index))
      return constants.get(index)
    },
  })
  const unpickler = new Unpickler((name) => importer.findType(name))
  function readConstant(index: number): { value: IValue; type: Type } | undefined {
    const pickled = archive.constants[index]
    if (pickled === undefined) return undefined
    const value = unpickler.convert(pickled, AnyT, `CONSTANTS.c${index}`)
    return { value, type: unshaped(typeOfValue(value)) }
  }
  const { data } = archive
  if (!(data instanceof PickleObject))
    throw new ModuleLoadError(
      'data.pkl holds no module',
      { entry: 'data.pkl' },
      'was it saved by torch.jit.save?',
    )
  const root = unpickler.convert(data, AnyT, '')
  if (!(root instanceof ScriptObject))
    throw new ModuleLoadError('data.pkl holds no module', { entry: 'data.pkl' })
  return { root, name: archive.name, version: archive.version, extra: archive.extra }
}
