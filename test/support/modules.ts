import type { Archive } from '../../src/archive/archive.ts'
import type { ClassType } from '../../src/ir/class-type.ts'
import { ScriptObject, type IValue } from '../../src/ir/ivalue.ts'
import { TensorT } from '../../src/ir/types.ts'
import { createCompiler } from '../../src/load.ts'
import { SourceImporter } from '../../src/script/source-importer.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/**
 * Modules from TorchScript source, without an archive around it. The source is that of the file `__torch__.py`, so
 * its classes are called `__torch__.<name>`.
 */
export class ModuleSource {
  readonly #importer: SourceImporter

  /** @param version the file format version, which says what operators mean */
  constructor(text: string, version = 10, constants: readonly Tensor[] = []) {
    const path = '__torch__.py'
    const file = { path, byteLength: text.length, text, sourceRanges: undefined }
    const archive: Archive = {
      name: 'test',
      version,
      code: new Map([[path, file]]),
      data: null,
      constants: [],
      extra: new Map(),
      byteLength: text.length,
      sourceRanges: () => undefined,
    }
    this.#importer = new SourceImporter(archive, {
      compile: createCompiler(),
      constants: (i) => constants[i] && { value: constants[i], type: TensorT },
    })
  }

  classOf(name: string): ClassType {
    const type = this.#importer.findType(`__torch__.${name}`)
    if (type?.kind !== 'Class') throw new TypeError(`no class ${name} in the source`)
    return type
  }

  /** An object of the class with the given content of its attributes. */
  make(name: string, slots: Readonly<Record<string, IValue>>): ScriptObject {
    return new ScriptObject(this.classOf(name), new Map(Object.entries(slots)))
  }
}
