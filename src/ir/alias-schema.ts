import type { AliasAnalysis } from './alias-analysis.ts'
import { isMutableType } from './alias-types.ts'
import type { Node, Value } from './graph.ts'
import type { Argument, FunctionSchema } from './schema.ts'

/** What the alias annotations of the operator's schema say. */
export function bindSchema(analysis: AliasAnalysis, node: Node, schema: FunctionSchema): void {
  const actuals = new Map<string, Value[]>()
  schema.arguments.forEach((argument, i) => {
    const input = node.inputs[i]
    if (input !== undefined && isMutableType(input.type))
      bindArgument(analysis, node, argument, input, actuals)
  })
  node.outputs.forEach((output, i) => {
    const formal = schema.returns[i]
    if (formal === undefined) analysis.setWildcard(output)
    else if (isMutableType(output.type)) bindReturn(analysis, node, formal, output, actuals)
  })
}

function bindArgument(
  analysis: AliasAnalysis,
  node: Node,
  { alias, elementAlias }: Argument,
  input: Value,
  actuals: Map<string, Value[]>,
): void {
  if (elementAlias?.isWrite === true) analysis.writeContained(node, input)
  const info = alias ?? elementAlias
  if (info === undefined) return
  for (const name of info.before) actuals.set(name, [...(actuals.get(name) ?? []), input])
  if (alias?.isWrite === true) analysis.write(node, input)
  // `(c -> *)`: it goes into a container.
  if (info.after.includes('*')) analysis.setWildcard(input)
}

function bindReturn(
  analysis: AliasAnalysis,
  node: Node,
  { alias, elementAlias }: Argument,
  output: Value,
  actuals: ReadonlyMap<string, Value[]>,
): void {
  if (alias?.before.includes('*') === true) analysis.setWildcard(output)
  else {
    analysis.giveFresh(output)
    const sources = (names: readonly string[] = []): Value[] =>
      names.flatMap((name) => actuals.get(name) ?? [])
    for (const source of sources(alias?.before)) analysis.point(output, source)
    for (const source of sources(elementAlias?.before)) analysis.contain(source, output)
  }
  if (alias?.isWrite === true) analysis.write(node, output)
}
