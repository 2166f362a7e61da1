import type { ClassType } from '../ir/class-type.ts'
import type { GraphFunction } from '../ir/graph-function.ts'
import type { IValue } from '../ir/ivalue.ts'
import { printAnnotation } from '../ir/type-printer.ts'
import type { EnumType, InterfaceType, TupleType, Type } from '../ir/types.ts'
import { printClass, printEnum, printInterface, printNamedTuple } from './class-printer.ts'
import { printFunction, type ArchiveScope } from './function-printer.ts'
import { SourceText } from './source-text.ts'

type Definition = ClassType | TupleType | EnumType | InterfaceType | GraphFunction

/**
 * The `code/` files of an archive, written from what is reachable: printing one definition finds the classes,
 * functions and constants that it mentions, until nothing is left.
 */
export class ArchiveSource implements ArchiveScope {
  readonly constants: IValue[] = []
  readonly #constantIndex = new Map<IValue, number>()
  readonly #files = new Map<string, SourceText>()
  readonly #known = new Set<string>()
  readonly #waiting: [name: string, definition: Definition][] = []

  /** Each file's text by its path under `code/`, once everything that `root` needs is printed. */
  print(root: Type): ReadonlyMap<string, SourceText> {
    this.annotation(root)
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      this.#print(...next)
    return this.#files
  }

  annotation = (type: Type): string => {
    this.#mention(type)
    return printAnnotation(type)
  }

  constant = (value: IValue): string => {
    let index = this.#constantIndex.get(value)
    if (index === undefined) {
      index = this.constants.push(value) - 1
      this.#constantIndex.set(value, index)
    }
    return `CONSTANTS.c${index}`
  }

  functionName = (fn: GraphFunction): string => {
    this.#add(fn.qualifiedName, fn)
    return fn.qualifiedName
  }

  #mention(type: Type): void {
    switch (type.kind) {
      case 'List':
      case 'Optional':
      case 'Future':
      case 'Await':
      case 'RRef': {
        this.#mention(type.element)
        return
      }
      case 'Dict': {
        ;[type.key, type.value].forEach((part) => this.#mention(part))
        return
      }
      case 'Union': {
        type.members.forEach((member) => this.#mention(member))
        return
      }
      case 'Tuple':
        if (type.name !== undefined) this.#add(type.name, type)
        {
          type.elements.forEach((element) => this.#mention(element))
          return
        }
      case 'Class':
      case 'Enum':
      case 'Interface': {
        this.#add(type.name, type)
        return
      }
      default:
    }
  }

  #add(name: string, definition: Definition): void {
    if (this.#known.has(name)) return
    this.#known.add(name)
    this.#waiting.push([name, definition])
  }

  #print(name: string, definition: Definition): void {
    const parts = name.split('.')
    const shortName = parts.pop() as string
    const out = this.#file(`${parts.join('/')}.py`)
    if (!('kind' in definition)) {
      printFunction(out, shortName, definition.graph, definition.schema, this)
      return
    }
    switch (definition.kind) {
      case 'Class': {
        printClass(out, definition, this)
        return
      }
      case 'Tuple': {
        printNamedTuple(out, definition, this)
        return
      }
      case 'Enum': {
        printEnum(out, definition, this)
        return
      }
      case 'Interface': {
        printInterface(out, definition, this)
        return
      }
    }
  }

  #file(path: string): SourceText {
    let file = this.#files.get(path)
    if (file === undefined) this.#files.set(path, (file = new SourceText()))
    return file
  }
}
