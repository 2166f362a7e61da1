import type { Graph } from '../ir/graph.ts'
import { Double, type IValue, List, Tuple } from '../ir/ivalue.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import type { Source } from '../ir/source-range.ts'
import { isSubtype } from '../ir/type-relations.ts'
import { AnyT, NoneT, TensorT, type Type } from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'
import { emitValue } from './emit-expression.ts'
import { emitStatements, isMeaningful } from './emit-statement.ts'
import { EmitContext, type NameResolver } from './emit-context.ts'
import { convertValue } from './schema-matcher.ts'
import { valueOf } from './sugared-value.ts'
import type { Expr, FunctionDef, Parameter } from './syntax.ts'
import { resolveType } from './type-resolver.ts'

/**
 * The schema that a definition declares.
 *
 * @param selfType type of the first parameter of a method
 * @returns the schema; its `returns` are empty if the definition names no return type
 */
export function declaredSchema(def: FunctionDef, names: NameResolver, selfType?: Type): FunctionSchema {
  const lookup = (name: string): Type | undefined => names.findType(name)
  const returns = def.returns && resolveType(def.returns, lookup)
  return {
    name: def.name,
    overload: '',
    arguments: def.parameters.map((parameter, i) =>
      declaredArgument(parameter, i === 0 ? selfType : undefined, lookup),
    ),
    returns: returns ? [{ name: '', type: returns, kwargOnly: false }] : [],
    isVararg: false,
    isVarret: false,
  }
}

function declaredArgument(
  parameter: Parameter,
  selfType: Type | undefined,
  lookup: (name: string) => Type | undefined,
): Argument {
  const { name, annotation, kwargOnly } = parameter
  const type = selfType ?? (annotation ? resolveType(annotation, lookup) : TensorT)
  if (parameter.default === undefined) return { name, type, kwargOnly }
  return { name, type, kwargOnly, default: evaluateLiteral(parameter.default, type) }
}

/** The value of a literal of a given type; None for what is no literal. */
export function evaluateLiteral(expr: Expr, type: Type): IValue {
  const plain = type.kind === 'Optional' ? type.element : type
  switch (expr.kind) {
    case 'int':
      return plain.kind === 'Float' ? new Double(Number(expr.value)) : expr.value
    case 'float':
      return new Double(expr.value)
    case 'string':
      return expr.value
    case 'true':
    case 'false':
      return expr.kind === 'true'
    case 'name':
      return expr.name === 'inf' ? new Double(Infinity) : expr.name === 'nan' ? new Double(NaN) : null
    case 'unary':
      return expr.operand.kind === 'name' && expr.operator === '-' ? new Double(-Infinity) : null
    case 'list': {
      const element = plain.kind === 'List' ? plain.element : AnyT
      return new List(
        expr.elements.map((item) => evaluateLiteral(item, element)),
        element,
      )
    }
    case 'tuple':
      return new Tuple(
        expr.elements.map((item, i) =>
          evaluateLiteral(item, plain.kind === 'Tuple' ? (plain.elements[i] ?? AnyT) : AnyT),
        ),
      )
    case 'call':
      // annotate(T, literal)
      return expr.args[1] ? evaluateLiteral(expr.args[1], plain) : null
    default:
      return null
  }
}

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
  return { graph: cx.graph, schema: { ...schema, returns: [{ name: '', type, kwargOnly: false }] } }
}

function addInput(cx: EmitContext, { name, type }: Argument): void {
  const input = cx.edit.addBlockInput(cx.graph.block, type)
  if (isMeaningful(name)) cx.edit.setDebugName(input, name)
  cx.environment.set(name, valueOf(input), type)
}

function emitReturn(cx: EmitContext, expr: Expr, declared: Type | undefined): Type {
  const value = emitValue(cx, expr, declared)
  const type = declared ?? (value.type.kind === 'None' ? NoneT : value.type)
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
