import { invariant } from '../errors.ts'
import type { Graph } from '../ir/graph.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import type { Source } from '../ir/source-range.ts'
import { isSubtype } from '../ir/type-relations.ts'
import { AnyT, NoneT, type Type } from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'
import { EmitContext } from './emit-context.ts'
import { emitValue } from './emit-expression.ts'
import { emitStatements, isMeaningful } from './emit-statement.ts'
import type { NameResolver } from './name-resolver.ts'
import { replaceOldOperators } from './replace-old-operators.ts'
import { convertValue } from './schema-matcher.ts'
import { parseSource } from './statement-parser.ts'
import { valueOf } from './sugared-value.ts'
import type { Expr, FunctionDef } from './syntax.ts'

/** Compiles the body of a definition to a graph; a `None` is returned where the body has no return at its end. */
export function compileFunction(
  source: Source,
  def: FunctionDef,
  schema: FunctionSchema,
  names: NameResolver,
  qualifiedName: string,
): { graph: Graph; schema: FunctionSchema } {
  const declared = schema.returns[0]?.type
  const cx = new EmitContext(source, names, qualifiedName, declared)
  for (const argument of schema.arguments) addInput(cx, argument)
  const last = def.body.at(-1)
  const hasReturn = last?.kind === 'return'
  emitStatements(cx, hasReturn ? def.body.slice(0, -1) : def.body)
  const value: Expr = (hasReturn ? last.value : undefined) ?? { kind: 'none', start: def.start, end: def.end }
  const type = emitReturn(cx, value, declared)
  replaceOldOperators(cx.graph, compileUpgrader)
  return { graph: cx.graph, schema: { ...schema, returns: [{ name: '', type, kwargOnly: false }] } }
}

/** Upgraders are written for today's operators and name nothing of an archive. */
const today: NameResolver = {
  findType: () => undefined,
  findFunction: () => undefined,
  constant: () => undefined,
  version: Infinity,
}

function compileUpgrader(text: string, schema: FunctionSchema): Graph {
  const source: Source = { name: `${schema.name} of an old version`, text }
  const [def] = parseSource(source)
  invariant(def?.kind === 'def', 'an upgrader is a function')
  return compileFunction(source, def, schema, today, def.name).graph
}

function addInput(cx: EmitContext, { name, type }: Argument): void {
  const input = cx.edit.addBlockInput(cx.graph.block, type)
  if (isMeaningful(name)) cx.edit.setDebugName(input, name)
  cx.environment.set(name, valueOf(input), type)
}

function emitReturn(cx: EmitContext, expr: Expr, declared: Type | undefined): Type {
  const value = emitValue(cx, expr, declared)
  const type = declared ?? (value.type.kind === 'None' ? NoneT : value.type)
  cx.expectModestType(type, expr)
  const converted = convertValue(cx.edit, cx.range(expr), type, value)
  if (!isSubtype(converted.type, type))
    cx.fail(`the function returns a ${printType(converted.type)} but declares ${printType(type)}`, expr)
  const isWidened = type.kind === 'Any' && converted.type.kind !== 'Any'
  const result = isWidened
    ? cx.edit.insert('prim::unchecked_cast', [converted], { outputs: [AnyT] }).output()
    : converted
  cx.edit.addBlockOutput(cx.graph.block, result)
  return type
}
