import { Double, List, Tuple, type IValue } from '../ir/ivalue.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import { AnyT, TensorT, type Type } from '../ir/types.ts'
import type { Expr, FunctionDef, Parameter } from './syntax.ts'
import { resolveType, type NamedTypeLookup } from './type-resolver.ts'

/**
 * The schema that a definition declares.
 *
 * @param selfType type of the first parameter of a method
 * @returns the schema; its `returns` are empty if the definition names no return type
 */
export function declaredSchema(def: FunctionDef, lookup: NamedTypeLookup, selfType?: Type): FunctionSchema {
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
  lookup: NamedTypeLookup,
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
