import type { Archive } from '../archive/archive.ts'
import { ClassType } from '../ir/class-type.ts'
import { GraphFunction } from '../ir/graph-function.ts'
import { EnumValue, type IValue } from '../ir/ivalue.ts'
import type { Graph } from '../ir/graph.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import type { Source } from '../ir/source-range.ts'
import { isOversized } from '../ir/type-size.ts'
import type { InterfaceMethod, Type } from '../ir/types.ts'
import type { NameResolver } from './name-resolver.ts'
import { ScriptCompileError } from './errors.ts'
import { declaredSchema, evaluateLiteral } from './declared-schema.ts'
import { fillClass } from './class-builder.ts'
import { placeIn } from './lexer.ts'
import { parseSource } from './statement-parser.ts'
import type { ClassDef, FunctionDef, Ranged, Stmt } from './syntax.ts'
import { resolveType } from './type-resolver.ts'

interface SourceFile {
  readonly source: Source
  readonly definitions: ReadonlyMap<string, ClassDef | FunctionDef>
}

type Constant = { readonly value: IValue; readonly type: Type }

/** Turns a definition into a graph; handed in, so that a model can be looked at without the compiler. */
export type CompileFunction = (
  source: Source,
  def: FunctionDef,
  schema: FunctionSchema,
  names: NameResolver,
  qualifiedName: string,
) => { readonly graph: Graph; readonly schema: FunctionSchema }

export interface ImportOptions {
  readonly compile: CompileFunction
  readonly constants: (index: number) => Constant | undefined
}

/**
 * Finds classes and functions in the `code/` files of an archive by their qualified names and compiles them on
 * demand (`SourceImporterImpl`, torch/csrc/jit/serialization/import_source.cpp).
 */
export class SourceImporter implements NameResolver {
  readonly version: number
  readonly #archive: Archive
  readonly #options: ImportOptions
  readonly #lookup = (name: string): Type | undefined => this.findType(name)
  readonly #files = new Map<string, SourceFile | undefined>()
  readonly #types = new Map<string, Type | undefined>()
  readonly #unfinished = new Set<string>()
  readonly #functions = new Map<string, GraphFunction | undefined>()

  constructor(archive: Archive, options: ImportOptions) {
    this.#archive = archive
    this.#options = options
    this.version = archive.version
  }

  /** @throws ScriptSyntaxError, ScriptCompileError */
  findType(qualifiedName: string): Type | undefined {
    if (this.#types.has(qualifiedName)) return this.#types.get(qualifiedName)
    if (isCustomClass(qualifiedName)) return { kind: 'Opaque', name: qualifiedName }
    const found = this.#definition(qualifiedName)
    if (found?.definition.kind !== 'class') return undefined
    return this.#defineClass(qualifiedName, found.definition, found.source)
  }

  findFunction(qualifiedName: string): GraphFunction | undefined {
    if (this.#functions.has(qualifiedName)) return this.#functions.get(qualifiedName)
    const found = this.#definition(qualifiedName)
    const fn =
      found?.definition.kind === 'def'
        ? this.functionOf(found.source, found.definition, qualifiedName, undefined)
        : undefined
    this.#functions.set(qualifiedName, fn)
    return fn
  }

  constant(name: string): Constant | undefined {
    const index = /^c(\d+)$/.exec(name)?.[1]
    if (index !== undefined) return this.#options.constants(Number(index))
    const dot = name.lastIndexOf('.')
    const type = this.findType(name.slice(0, dot))
    if (type?.kind !== 'Enum') return undefined
    const member = type.members.find(([memberName]) => memberName === name.slice(dot + 1))
    return member && { value: new EnumValue(type, member[0], member[1]), type }
  }

  /** A function or, with `selfType`, a method of a definition; its body is compiled when first asked for. */
  functionOf(
    source: Source,
    def: FunctionDef,
    qualifiedName: string,
    selfType: Type | undefined,
  ): GraphFunction {
    const schema = this.#atPlace(source, def, () => declaredSchema(def, this.#lookup, selfType))
    const compile = (): ReturnType<CompileFunction> =>
      this.#options.compile(source, def, schema, this, qualifiedName)
    return new GraphFunction(qualifiedName, compile, schema.returns.length > 0 ? schema : undefined)
  }

  resolve(source: Source, annotation: Parameters<typeof resolveType>[0]): Type {
    return this.#atPlace(source, annotation, () => resolveType(annotation, this.#lookup))
  }

  #defineClass(name: string, def: ClassDef, source: Source): Type {
    switch (def.base) {
      case 'NamedTuple':
        return this.#remember(name, this.#acyclic(name, def, source))
      case 'Enum':
        return this.#remember(name, enumType(name, def))
      case 'Interface':
      case 'ModuleInterface':
        return this.#interface(name, def, source)
      default: {
        const type = new ClassType(name, { isModule: def.base === 'Module' })
        this.#remember(name, type)
        fillClass(type, def, source, this)
        return type
      }
    }
  }

  #remember(name: string, type: Type): Type {
    this.#types.set(name, type)
    return type
  }

  /** A NamedTuple in a field of itself would be a type without end. */
  #acyclic(name: string, def: ClassDef, source: Source): Type {
    const place = placeIn(source, def.start)
    if (this.#unfinished.has(name)) throw new ScriptCompileError(`NamedTuple ${name} contains itself`, place)
    this.#unfinished.add(name)
    const type = this.#namedTuple(name, def, source)
    this.#unfinished.delete(name)
    if (isOversized(type)) throw new ScriptCompileError(`NamedTuple ${name} is too large a type`, place)
    return type
  }

  #namedTuple(name: string, def: ClassDef, source: Source): Type {
    const fields: string[] = []
    const elements: Type[] = []
    const defaults: IValue[] = []
    for (const statement of def.body) {
      const target = statement.kind === 'assign' ? statement.targets[0] : undefined
      if (statement.kind !== 'assign' || target?.kind !== 'name' || !statement.annotation) continue
      const type = this.resolve(source, statement.annotation)
      fields.push(target.name)
      elements.push(type)
      if (statement.value) defaults.push(evaluateLiteral(statement.value, type))
    }
    return { kind: 'Tuple', name, fields, elements, defaults }
  }

  #interface(name: string, def: ClassDef, source: Source): Type {
    const methods = new Map<string, InterfaceMethod>()
    const type: Type = { kind: 'Interface', name, isModule: def.base === 'ModuleInterface', methods }
    this.#remember(name, type)
    for (const method of def.body) {
      if (method.kind !== 'def') continue
      const schema = this.#atPlace(source, method, () => declaredSchema(method, this.#lookup, type))
      methods.set(method.name, {
        name: method.name,
        parameters: schema.arguments.slice(1),
        returns: schema.returns[0]?.type ?? { kind: 'None' },
      })
    }
    return type
  }

  #definition(qualifiedName: string): { source: Source; definition: ClassDef | FunctionDef } | undefined {
    const parts = qualifiedName.split('.')
    const name = parts.pop() as string
    const file = this.#file(`${parts.join('/')}.py`)
    const definition = file?.definitions.get(name)
    return file && definition && { source: file.source, definition }
  }

  #file(path: string): SourceFile | undefined {
    if (!this.#files.has(path)) this.#files.set(path, this.#readFile(path))
    return this.#files.get(path)
  }

  #readFile(path: string): SourceFile | undefined {
    const code = this.#archive.code.get(path)
    if (code === undefined) return undefined
    const source: Source = {
      name: `code/${path}`,
      text: code.text,
      original: (offset) => code.sourceRanges?.at(offset),
    }
    return { source, definitions: definitionsIn(parseSource(source)) }
  }

  /** Errors of types and literals do not know where they stand: tells it. */
  #atPlace<T>(source: Source, at: Ranged, body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (!(error instanceof ScriptCompileError) || Object.keys(error.place).length > 0) throw error
      throw new ScriptCompileError(error.found, placeIn(source, at.start), error.advice)
    }
  }
}

/** Classes implemented in C++ and registered by name. */
function isCustomClass(name: string): boolean {
  return (
    name.startsWith('__torch__.torch.classes.') ||
    name.startsWith('torch.classes.') ||
    name.startsWith('torch.jit.')
  )
}

function definitionsIn(statements: readonly Stmt[]): Map<string, ClassDef | FunctionDef> {
  const definitions = new Map<string, ClassDef | FunctionDef>()
  for (const statement of statements)
    if (statement.kind === 'class' || statement.kind === 'def') definitions.set(statement.name, statement)
  return definitions
}

function enumType(name: string, def: ClassDef): Type {
  const members: [string, IValue][] = []
  for (const statement of def.body) {
    const target = statement.kind === 'assign' ? statement.targets[0] : undefined
    if (statement.kind === 'assign' && target?.kind === 'name' && statement.value)
      members.push([target.name, evaluateLiteral(statement.value, { kind: 'Any' })])
  }
  const [first] = members
  const kind = typeof first?.[1] === 'string' ? 'String' : typeof first?.[1] === 'number' ? 'Int' : 'Float'
  return { kind: 'Enum', name, valueType: { kind }, members }
}
