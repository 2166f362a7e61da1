import type { Node } from '../ir/graph.ts'
import { parseSchema } from '../ir/schema-parser.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import {
  isSubtype,
  matchTypeVariables,
  substituteVariables,
  type TypeEnvironment,
} from '../ir/type-relations.ts'
import { allOperators } from './index.ts'
import { schemaText } from './schemas.generated.ts'

let linesByName: Map<string, string[]> | undefined
const parsedByName = new Map<string, readonly FunctionSchema[]>()

/** All schemas of libtorch that are called `aten::add`, in its order of registration; then our own. */
export function schemasNamed(name: string): readonly FunctionSchema[] {
  let schemas = parsedByName.get(name)
  if (schemas === undefined) {
    linesByName ??= indexLines()
    const known = (linesByName.get(name) ?? []).map(parseSchema)
    schemas = known.length > 0 ? known : ownSchemas(name)
    parsedByName.set(name, schemas)
  }
  return schemas
}

function indexLines(): Map<string, string[]> {
  const index = new Map<string, string[]>()
  for (const line of schemaText.split('\n')) {
    const name = /^\w+::\w+/.exec(line)?.[0]
    if (name === undefined) continue
    const lines = index.get(name)
    if (lines) lines.push(line)
    else index.set(name, [line])
  }
  return index
}

function ownSchemas(name: string): FunctionSchema[] {
  const own: FunctionSchema[] = []
  for (const { schema } of allOperators()) if (schema.name === name) own.push(schema)
  return own
}

/** The schema that the node was compiled with, or the first that its inputs fit without conversion. */
export function schemaOfNode(node: Node): FunctionSchema | undefined {
  return (node.schema ??= schemasNamed(node.kind).find((schema) => fits(schema, node)))
}

function fits(schema: FunctionSchema, node: Node): boolean {
  if (!schema.isVararg && schema.arguments.length !== node.inputs.length) return false
  const env: TypeEnvironment = new Map()
  return schema.arguments.every((argument, i) => {
    const input = node.inputs[i]
    if (input === undefined || !matchTypeVariables(argument.type, input.type, env)) return false
    const type = substituteVariables(argument.type, env)
    return type !== undefined && isSubtype(input.type, type)
  })
}
