import type { Node } from '../../ir/graph.ts'
import { Dict, List, Tuple, type IValue } from '../../ir/ivalue.ts'
import { schemaKey, type FunctionSchema } from '../../ir/schema.ts'
import { isSubtype } from '../../ir/type-relations.ts'
import { UnsupportedOperatorError } from '../../ops/errors.ts'
import { evaluatorOf, type EvaluationContext, type Operator } from '../../ops/operator.ts'
import { typeOfValue } from '../../ir/type-of-value.ts'

type NodeRule = (node: Node, inputs: readonly IValue[]) => readonly IValue[] | undefined

/** Nodes whose meaning lies in their types and attributes, not in an operator. */
const rules: Readonly<Record<string, NodeRule>> = {
  'prim::TupleConstruct': (node, inputs) => {
    const { type } = node.output()
    return [new Tuple(inputs, type.kind === 'Tuple' && type.name !== undefined ? type : undefined)]
  },
  'prim::TupleUnpack': (_node, [tuple]) => (tuple instanceof Tuple ? tuple.elements : undefined),
  'prim::TupleIndex': (_node, [tuple, index]) => {
    if (!(tuple instanceof Tuple) || typeof index !== 'number') return undefined
    const element = tuple.elements.at(index)
    return element === undefined ? undefined : [element]
  },
  'prim::ListConstruct': (node, inputs) => {
    const { type } = node.output()
    return type.kind === 'List' ? [new List([...inputs], type.element)] : undefined
  },
  'prim::ListUnpack': (node, [list]) =>
    list instanceof List && list.elements.length === node.outputs.length ? list.elements : undefined,
  'prim::DictConstruct': (node, inputs) => {
    const { type } = node.output()
    if (type.kind !== 'Dict') return undefined
    const dict = new Dict(type.key, type.value)
    for (let i = 0; i + 1 < inputs.length; i += 2) dict.set(inputs[i] ?? null, inputs[i + 1] ?? null)
    return [dict]
  },
  'prim::isinstance': (node, [value]) => {
    const attribute = node.attributes.get('types')
    if (attribute?.kind !== 'types' || value === undefined) return undefined
    const type = typeOfValue(value)
    return [attribute.types.some((target) => isSubtype(type, target))]
  },
  'prim::unchecked_cast': (_node, inputs) => inputs,
}

/** A kernel that runs at compile time has nobody to talk to and no random numbers. */
const silent: EvaluationContext = {
  warn: (message) => refuse(`warn '${message}'`),
  print: (text) => refuse(`print '${text}'`),
  random: () => refuse('draw a random number'),
}

function refuse(what: string): never {
  throw new UnsupportedOperatorError(`it would ${what}`)
}

/** Runs one node by the reference kernels; undefined if none takes it. Kernels' own errors pass through. */
export function evaluateNode(
  node: Node,
  inputs: readonly IValue[],
  schema: FunctionSchema | undefined,
  findOperator: (key: string) => Operator | undefined,
): readonly IValue[] | undefined {
  const rule = rules[node.kind]
  if (rule) return rule(node, inputs)
  if (schema === undefined || schema.isVararg) return undefined
  const operator = findOperator(schemaKey(schema))
  return operator && evaluatorOf(operator, node)(inputs, silent)
}
