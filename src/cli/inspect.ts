import { readArchive } from '../archive/archive.ts'
import { invariant } from '../errors.ts'
import { ScriptObject, type IValue } from '../ir/ivalue.ts'
import { printAnnotation, printType } from '../ir/type-printer.ts'
import { readFileBytes } from '../node/files.ts'
import { loadModule, type ScriptModule } from '../script/load-module.ts'
import type { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { typeOfTensor } from '../ir/type-of-value.ts'
import { formatBytes } from './format.ts'
import type { Verb } from './verb.ts'

interface AttributeInfo {
  readonly path: string
  readonly kind: string
  readonly type: string
  readonly bytes: number
}

interface ModuleInfo {
  readonly path: string
  readonly class: string
  readonly training: boolean | undefined
}

interface Inspection {
  readonly name: string
  readonly version: number
  readonly modules: readonly ModuleInfo[]
  readonly attributes: readonly AttributeInfo[]
  readonly methods: readonly string[]
  readonly extra: readonly string[]
  readonly parameters: number
  /** Bytes of all storages, shared ones once. */
  readonly bytes: number
}

export const inspectVerb: Verb = {
  name: 'inspect',
  summary: 'shows modules, attributes, methods, parameters and size',
  usage: 'inspect MODEL',
  options: {},
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const inspection = inspect(outlineOf(args.positionals[0] as string))
    if (out.json) out.document(inspection)
    else print(inspection, (text) => out.print(text))
    return 0
  },
}

/** The model without its methods' graphs: the compiler is not even loaded. */
function outlineOf(path: string): ScriptModule {
  return loadModule(readArchive(readFileBytes(path)), () => {
    invariant(false, 'inspect compiles nothing')
  })
}

function inspect(module: ScriptModule): Inspection {
  const modules: ModuleInfo[] = []
  const attributes: AttributeInfo[] = []
  const storages = new Map<Storage, number>()
  let parameters = 0
  const visited = new Set<ScriptObject>()
  const visit = (object: ScriptObject, path: string): void => {
    if (visited.has(object)) return
    visited.add(object)
    const training = object.slots.get('training')
    modules.push({
      path,
      class: object.type.name,
      training: typeof training === 'boolean' ? training : undefined,
    })
    for (const { name, kind, type } of object.type.attributes.values()) {
      const content = object.slots.get(name) ?? null
      const inner = path === '' ? name : `${path}.${name}`
      if (content instanceof ScriptObject) {
        visit(content, inner)
        continue
      }
      const bytes = note(content, storages)
      if (kind === 'parameter' && content instanceof Tensor) parameters += content.numel
      attributes.push({
        path: inner,
        kind,
        type: content instanceof Tensor ? printType(typeOfTensor(content)) : printAnnotation(type),
        bytes,
      })
    }
  }
  visit(module.root, '')
  const bytes = [...storages.values()].reduce((a, b) => a + b, 0)
  const methods = [...module.root.type.methods.keys()]
  return {
    name: module.name,
    version: module.version,
    modules,
    attributes,
    methods,
    extra: [...module.extra.keys()],
    parameters,
    bytes,
  }
}

function note(content: IValue, storages: Map<Storage, number>): number {
  if (!(content instanceof Tensor)) return 0
  storages.set(content.storage, content.storage.byteLength)
  return content.byteLength
}

function print(inspection: Inspection, line: (text: string) => void): void {
  const { name, version, modules, attributes, methods, extra, parameters, bytes } = inspection
  line(`${name}: TorchScript archive, version ${version}`)
  line(
    `  ${modules.length} modules, ${parameters.toLocaleString('en')} parameters, ${formatBytes(bytes)} of tensors`,
  )
  line(`  methods: ${methods.join(', ') || 'none'}`)
  if (extra.length > 0) line(`  extra: ${extra.join(', ')}`)
  const byModule = new Map<string, AttributeInfo[]>(modules.map(({ path }) => [path, []]))
  for (const attribute of attributes)
    byModule.get(attribute.path.slice(0, Math.max(attribute.path.lastIndexOf('.'), 0)))?.push(attribute)
  for (const module of modules) {
    line(`\n${module.path === '' ? '(root)' : module.path}  ${module.class}`)
    for (const attribute of byModule.get(module.path) ?? [])
      line(
        `  ${attribute.path.slice(attribute.path.lastIndexOf('.') + 1).padEnd(24)} ${attribute.kind.padEnd(10)} ${attribute.type}`,
      )
  }
}
