import type { ClassAttribute, ClassType } from '../ir/class-type.ts'
import type { Source } from '../ir/source-range.ts'
import type { Type } from '../ir/types.ts'
import { evaluateLiteral } from './declared-schema.ts'
import type { SourceImporter } from './source-importer.ts'
import type { AssignStmt, ClassDef, Expr } from './syntax.ts'

/**
 * Fills a class from its source: attributes in order of declaration, constants, and methods, which are compiled
 * when first called (`importClass`, torch/csrc/jit/serialization/import_source.cpp).
 */
export function fillClass(type: ClassType, def: ClassDef, source: Source, importer: SourceImporter): void {
  const kinds = attributeKinds(def)
  for (const statement of def.body) {
    if (statement.kind === 'assign') addAttribute(type, statement, kinds, source, importer)
    if (statement.kind === 'def')
      type.methods.set(
        statement.name,
        importer.functionOf(source, statement, `${type.name}.${statement.name}`, type),
      )
  }
}

/** The names in `__parameters__` and `__buffers__`. */
function attributeKinds(def: ClassDef): Map<string, ClassAttribute['kind']> {
  const kinds = new Map<string, ClassAttribute['kind']>()
  for (const statement of def.body) {
    if (statement.kind !== 'assign') continue
    const [target] = statement.targets
    if (target?.kind !== 'name' || statement.value?.kind !== 'list') continue
    const kind =
      target.name === '__parameters__' ? 'parameter' : target.name === '__buffers__' ? 'buffer' : undefined
    if (kind === undefined) continue
    for (const element of statement.value.elements)
      if (element.kind === 'string') kinds.set(element.value, kind)
  }
  return kinds
}

function addAttribute(
  type: ClassType,
  statement: AssignStmt,
  kinds: ReadonlyMap<string, ClassAttribute['kind']>,
  source: Source,
  importer: SourceImporter,
): void {
  const declared = declaration(statement)
  if (declared === undefined) return
  const { name, annotation, value } = declared
  const attributeType = importer.resolve(source, annotation)
  if (value && isFinal(annotation))
    type.constants.set(name, { type: attributeType, value: evaluateLiteral(value, attributeType) })
  else type.attributes.set(name, { name, type: attributeType, kind: kindOf(name, attributeType, kinds) })
}

function kindOf(
  name: string,
  type: Type,
  kinds: ReadonlyMap<string, ClassAttribute['kind']>,
): ClassAttribute['kind'] {
  const isTensor = type.kind === 'Tensor' || (type.kind === 'Optional' && type.element.kind === 'Tensor')
  return isTensor ? (kinds.get(name) ?? 'attribute') : 'attribute'
}

/** `name : T`, `name : Final[T] = value`, or `__annotations__["0"] = T` for names that are no identifiers. */
function declaration(statement: AssignStmt): { name: string; annotation: Expr; value?: Expr } | undefined {
  const [target] = statement.targets
  if (target?.kind === 'name' && statement.annotation)
    return {
      name: target.name,
      annotation: statement.annotation,
      ...(statement.value && { value: statement.value }),
    }
  if (target?.kind !== 'subscript' || target.value.kind !== 'name' || target.value.name !== '__annotations__')
    return undefined
  const [key] = target.indices
  return key?.kind === 'string' && statement.value
    ? { name: key.value, annotation: statement.value }
    : undefined
}

function isFinal(annotation: Expr): boolean {
  return (
    annotation.kind === 'subscript' && annotation.value.kind === 'name' && annotation.value.name === 'Final'
  )
}
