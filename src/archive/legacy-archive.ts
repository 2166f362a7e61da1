import { itemSize } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import {
  ArchiveCodeFile,
  requireEntry,
  type ArchiveFiles,
  type ArchiveParts,
  type CodeFile,
} from './archive-files.ts'
import { TensorLayoutError, UnsupportedArchiveError } from './errors.ts'
import { blankPreamble, LegacyCodeFile, type LegacyPiece } from './legacy-code.ts'
import { readLegacyModel, type LegacyModel, type LegacyModule, type LegacyTensor } from './legacy-model.ts'
import { readPickle } from './pickle-reader.ts'
import { layoutFault } from './pickle-tensors.ts'
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'
import { StorageTable } from './storage-table.ts'
import { decodeUtf8 } from './utf8.ts'

const description = 'model.json'
const attributeEntry = 'attributes.pkl'
const identifier = /^[A-Za-z_]\w*$/

/**
 * The parts of an archive of libtorch 1.0 to 1.3 in today's form, after `LEGACY_deserialize` of
 * torch/csrc/jit/serialization/import_legacy.cpp. There modules are described in `model.json`, their methods
 * lie in one source each, tensors in one table that is that of the constants too. Here each module gets the
 * class that libtorch gives it, named by its path: `__torch__.net.layer1._0`.
 */
export function readLegacyParts(files: ArchiveFiles): ArchiveParts {
  const bytes = requireEntry(files.entries, description).read()
  const model = readLegacyModel(bytes, description, files.limits.pickleDepth)
  const conversion = new LegacyConversion(files, model)
  return { code: conversion.code(), data: () => conversion.root(), constants: () => conversion.tensors }
}

class LegacyConversion {
  readonly #files: ArchiveFiles
  readonly #model: LegacyModel
  #tensors: readonly Tensor[] | undefined
  #attributes: readonly PickleValue[] | undefined

  constructor(files: ArchiveFiles, model: LegacyModel) {
    this.#files = files
    this.#model = model
  }

  get tensors(): readonly Tensor[] {
    return (this.#tensors ??= makeTensors(this.#files, this.#model.tensors))
  }

  get attributes(): readonly PickleValue[] {
    return (this.#attributes ??= this.#readAttributes())
  }

  root(): PickleValue {
    return this.#object(this.#model.mainModule, rootPrefix)
  }

  /** The libraries as they are, and a class for each module in the file of its qualifier. */
  code(): ReadonlyMap<string, CodeFile> {
    const code = new Map<string, CodeFile>()
    const pieces = new Map<string, LegacyPiece[]>()
    for (const [name, entry] of this.#files.entries) {
      if (!name.startsWith('libs/') || !name.endsWith('.py')) continue
      const path = name.slice('libs/'.length)
      const ranges = this.#files.entries.get(`${name}.debug_pkl`)
      const file = new ArchiveCodeFile(path, entry, ranges, this.#files.limits)
      code.set(path, file)
      pieces.set(path, [
        { text: blankPreamble(`${file.text}\n`), indent: '', ranges: this.#ranges(ranges?.name ?? '') },
      ])
    }
    this.#defineClass(this.#model.mainModule, rootPrefix, pieces)
    for (const [path, parts] of pieces) code.set(path, new LegacyCodeFile(path, parts))
    return code
  }

  #defineClass(module: LegacyModule, prefix: string, pieces: Map<string, LegacyPiece[]>): void {
    const { module: qualifier, name } = classOf(module, prefix)
    const own = `${qualifier}.${name}`
    for (const submodule of module.submodules) this.#defineClass(submodule, own, pieces)
    const path = `${qualifier.replaceAll('.', '/')}.py`
    const file = pieces.get(path) ?? []
    pieces.set(path, file)
    file.push({ text: classHeader(module, name, own), indent: '', ranges: null })
    if (module.code === '') return
    const source = decodeUtf8(requireEntry(this.#files.entries, module.code).read())
    file.push({ text: blankPreamble(`${source}\n`), indent: '  ', ranges: this.#ranges(module.sourceRanges) })
  }

  #ranges(entry: string): PickleValue {
    const found = this.#files.entries.get(entry)
    return found === undefined ? null : readPickle(found.read(), { entry, limits: this.#files.limits })
  }

  #object(module: LegacyModule, prefix: string): PickleObject {
    const cls = classOf(module, prefix)
    return new PickleObject(cls, new PickleTuple([]), this.#state(module, cls.qualifiedName))
  }

  #state(module: LegacyModule, prefix: string): PickleValue {
    if (module.stateId !== undefined) return this.#attribute(module.stateId)
    const state = new PickleDict()
    for (const submodule of module.submodules) state.set(submodule.name, this.#object(submodule, prefix))
    for (const { name, tensorId } of module.parameters)
      state.set(name, this.tensors[tensorId] ?? missing('tensor', tensorId))
    for (const { name, id } of module.attributes)
      if (!state.has(name)) state.set(name, id < 0 ? null : this.#attribute(id))
    return state
  }

  #attribute(id: number): PickleValue {
    const value = this.attributes[id]
    return value === undefined ? missing('attribute', id) : value
  }

  #readAttributes(): readonly PickleValue[] {
    const entry = this.#files.entries.get(attributeEntry)
    if (entry === undefined) return []
    const tensor = (index: number): Tensor | undefined => this.tensors[index]
    const value = readPickle(entry.read(), { entry: attributeEntry, limits: this.#files.limits, tensor })
    if (value instanceof PickleTuple || value instanceof PickleList) return value.items
    throw new UnsupportedArchiveError('the attributes are no list', { entry: attributeEntry })
  }
}

const rootPrefix = '__torch__'

function missing(what: string, id: number): never {
  throw new UnsupportedArchiveError(`the model description names ${what} ${id}, which is not there`, {
    entry: description,
  })
}

/** Names may be paths, and parts of them numbers, which get an underscore, or file names. */
function classOf(module: LegacyModule, prefix: string): PickleGlobal {
  const atoms = module.name.split('.').map((atom) => atom.replaceAll(/\W/g, '_').replace(/^(?=\d|$)/, '_'))
  return new PickleGlobal([prefix, ...atoms.slice(0, -1)].join('.'), atoms.at(-1) ?? '_')
}

/** As torch/csrc/jit/serialization/python_print.cpp prints it; attributes in the order `LEGACY_convertModule` adds them. */
function classHeader(module: LegacyModule, name: string, own: string): string {
  const types = new Map<string, string>()
  for (const submodule of module.submodules) types.set(submodule.name, classOf(submodule, own).qualifiedName)
  for (const parameter of module.parameters) types.set(parameter.name, 'Tensor')
  for (const attribute of module.attributes)
    if (!types.has(attribute.name)) types.set(attribute.name, attribute.type)
  const names = (isBuffer: boolean): string =>
    module.parameters
      .filter((parameter) => parameter.isBuffer === isBuffer)
      .map((parameter) => `${JSON.stringify(parameter.name)}, `)
      .join('')
  const lines = [
    `class ${name}(Module):`,
    `  __parameters__ = [${names(false)}]`,
    `  __buffers__ = [${names(true)}]`,
  ]
  if ([...types.keys()].some((attribute) => !identifier.test(attribute))) lines.push('  __annotations__ = []')
  for (const [attribute, type] of types)
    lines.push(
      identifier.test(attribute)
        ? `  ${attribute} : ${type}`
        : `  __annotations__[${JSON.stringify(attribute)}] = ${type}`,
    )
  return `${lines.join('\n')}\n`
}

function makeTensors(files: ArchiveFiles, tensors: readonly LegacyTensor[]): Tensor[] {
  const storages = new StorageTable((key) => files.entries.get(key), files.byteOrder)
  return tensors.map((tensor, index) => {
    const { dtype, sizes, strides, offset, requiresGrad, quantizer } = tensor
    const storage = storages.get(tensor)
    const fault = layoutFault(
      { sizes: counts(sizes), strides: counts(strides), offset: offset < 0 ? undefined : offset },
      Math.floor(storage.byteLength / itemSize(dtype)),
      files.limits.repeatedElements,
    )
    if (fault !== undefined) throw new TensorLayoutError(`tensor ${index} ${fault}`, { entry: description })
    return new Tensor(storage, dtype, sizes, {
      strides,
      storageOffset: offset,
      requiresGrad,
      ...(quantizer && { quantizer: { scheme: 'per_tensor_affine', ...quantizer } }),
    })
  })
}

function counts(values: readonly number[]): readonly number[] | undefined {
  return values.every((value) => value >= 0) ? values : undefined
}
