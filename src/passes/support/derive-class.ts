import { ClassType, type ClassAttribute } from '../../ir/class-type.ts'
import { copyGraph, GraphEditor } from '../../ir/graph-editor.ts'
import { GraphFunction } from '../../ir/graph-function.ts'
import type { Graph, Value } from '../../ir/graph.ts'
import { ScriptObject } from '../../ir/ivalue.ts'
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

/**
 * A module like the given one, of a new class of the same name, in which one method has another graph. The attributes
 * have the same content; the given module stays as it is.
 */
export function moduleWithGraph(module: ScriptObject, method: string, graph: Graph): ScriptObject {
  const { type: old } = module
  const type = new ClassType(old.name, { isModule: old.isModule })
  const types: TypeMap = new Map([[old, type]])
  copyEntries(old.attributes, type.attributes, (attribute): ClassAttribute => attribute)
  copyEntries(old.constants, type.constants, (constant) => constant)
  copyEntries(old.staticMethods, type.staticMethods, (fn) => fn)
  copyEntries(old.properties, type.properties, (property) => property)
  retypeGraph(graph, types)
  copyEntries(old.methods, type.methods, (fn, name) =>
    name === method ? withGraph(fn, graph, types) : retypedFunction(fn, types),
  )
  return new ScriptObject(type, new Map(module.slots))
}

/** A copy of the function for another class, made when it is first needed. */
function retypedFunction(fn: GraphFunction, types: TypeMap): GraphFunction {
  return new GraphFunction(fn.qualifiedName, () => ({
    graph: retypeGraph(copyGraph(fn.graph), types),
    schema: retypeSchema(fn.schema, types),
  }))
}

function copyEntries<T>(
  from: ReadonlyMap<string, T>,
  to: Map<string, T>,
  convert: (item: T, name: string) => T,
): void {
  for (const [name, item] of from) to.set(name, convert(item, name))
}
