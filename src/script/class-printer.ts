import type { ClassAttribute, ClassType } from '../ir/class-type.ts'
import type { EnumType, InterfaceType, TupleType } from '../ir/types.ts'
import { printFunction, type ArchiveScope } from './function-printer.ts'
import { printLiteral, quoteString } from './python-literals.ts'
import { isIdentifier } from './python-names.ts'
import type { SourceText } from './source-text.ts'

/** Writes a class as TorchScript source: attributes, constants, methods. */
export function printClass(out: SourceText, type: ClassType, scope: ArchiveScope): void {
  const name = type.name.slice(type.name.lastIndexOf('.') + 1)
  out.line(type.isModule ? `class ${name}(Module):` : `class ${name}:`)
  out.indented(() => {
    if (type.isModule) {
      out.line(`__parameters__ = ${namesOf(type, 'parameter')}`)
      out.line(`__buffers__ = ${namesOf(type, 'buffer')}`)
    }
    for (const attribute of type.attributes.values()) printAttribute(out, attribute, scope)
    for (const [constant, { type: constantType, value }] of type.constants)
      out.line(
        `${constant} : Final[${scope.annotation(constantType)}] = ${printLiteral(value, (content) => scope.constant(content))}`,
      )
    for (const [method, fn] of type.methods) printFunction(out, method, fn.graph, fn.schema, scope)
    if (!type.isModule && type.attributes.size === 0 && type.methods.size === 0) out.line('pass')
  })
}

function namesOf(type: ClassType, kind: ClassAttribute['kind']): string {
  const names = [...type.attributes.values()].filter((attribute) => attribute.kind === kind)
  return `[${names.map(({ name }) => `${quoteString(name)}, `).join('')}]`
}

function printAttribute(out: SourceText, { name, type }: ClassAttribute, scope: ArchiveScope): void {
  if (isIdentifier(name)) out.line(`${name} : ${scope.annotation(type)}`)
  else out.line(`__annotations__[${quoteString(name)}] = ${scope.annotation(type)}`)
}

export function printNamedTuple(out: SourceText, type: TupleType, scope: ArchiveScope): void {
  const name = type.name ?? ''
  out.line(`class ${name.slice(name.lastIndexOf('.') + 1)}(NamedTuple):`)
  const firstDefault = type.elements.length - (type.defaults?.length ?? 0)
  out.indented(() => {
    type.elements.forEach((element, i) => {
      const value = type.defaults?.[i - firstDefault]
      const text =
        value === undefined ? '' : ` = ${printLiteral(value, (content) => scope.constant(content))}`
      out.line(`${type.fields?.[i] ?? ''} : ${scope.annotation(element)}${text}`)
    })
  })
}

export function printEnum(out: SourceText, type: EnumType, scope: ArchiveScope): void {
  out.line(`class ${type.name.slice(type.name.lastIndexOf('.') + 1)}(Enum):`)
  out.indented(() => {
    for (const [name, value] of type.members)
      out.line(`${name} = ${printLiteral(value, (content) => scope.constant(content))}`)
  })
}

export function printInterface(out: SourceText, type: InterfaceType, scope: ArchiveScope): void {
  out.line(
    `class ${type.name.slice(type.name.lastIndexOf('.') + 1)}(${type.isModule ? 'ModuleInterface' : 'Interface'}):`,
  )
  out.indented(() => {
    for (const { name, parameters, returns } of type.methods.values()) {
      const list = parameters.map((parameter) => `${parameter.name}: ${scope.annotation(parameter.type)}`)
      out.line(`def ${name}(${['self', ...list].join(', ')}) -> ${scope.annotation(returns)}:`)
      out.indented(() => out.line('pass'))
    }
  })
}
