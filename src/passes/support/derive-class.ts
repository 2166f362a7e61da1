import { copyGraph, GraphEditor } from '../../ir/graph-editor.ts'
import { GraphFunction } from '../../ir/graph-function.ts'
import type { Graph, Value } from '../../ir/graph.ts'
import type { FunctionSchema } from '../../ir/schema.ts'
import type { Type } from '../../ir/types.ts'
import { everyNode } from './module-slots.ts'

export type TypeMap = ReadonlyMap<Type, Type>

/** Gives every value of the graph whose type is in the map its new type; in place. */
export function retypeGraph(graph: Graph, types: TypeMap): Graph {
  const edit = new GraphEditor(graph)
  const retype = (values: readonly Value[]): void => {
    for (const value of values) edit.setType(value, types.get(value.type) ?? value.type)
  }
  retype(graph.inputs)
  for (const node of everyNode(graph)) {
    retype(node.outputs)
    for (const block of node.blocks) retype(block.inputs)
  }
  return graph
}

export function retypeSchema(schema: FunctionSchema, types: TypeMap): FunctionSchema {
  const retype = <T extends { readonly type: Type }>(item: T): T => ({
    ...item,
    type: types.get(item.type) ?? item.type,
  })
  return { ...schema, arguments: schema.arguments.map(retype), returns: schema.returns.map(retype) }
}

/** A function with another graph and the same schema. */
export function withGraph(fn: GraphFunction, graph: Graph, types: TypeMap): GraphFunction {
  return new GraphFunction(fn.qualifiedName, () => ({ graph, schema: retypeSchema(fn.schema, types) }))
}

/** A copy of the function for other classes, made when it is first needed. */
export function retypedFunction(fn: GraphFunction, types: TypeMap): GraphFunction {
  return new GraphFunction(fn.qualifiedName, () => ({
    graph: retypeGraph(copyGraph(fn.graph), types),
    schema: retypeSchema(fn.schema, types),
  }))
}
