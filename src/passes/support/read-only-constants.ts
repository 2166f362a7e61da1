import type { Graph, Value } from '../../ir/graph.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassServices } from '../pass.ts'
import { Aliases } from './aliases.ts'
import { constantOf } from './constants.ts'

/**
 * The content of a constant that stays what it is: undefined where a graph writes the tensor, which makes it a
 * variable by another name.
 */
export function readOnlyConstant(value: Value, services: PassServices): IValue | undefined {
  const constant = constantOf(value)
  const mayChange = constant instanceof Tensor && !isOnlyRead(value, services)
  return mayChange && aliasesOf(value.graph, services).hasValueWriters(value) ? undefined : constant
}

/** Whether all users are operators that neither write the value nor look at its memory: most weights are so. */
function isOnlyRead(value: Value, services: PassServices): boolean {
  return value.uses.every(({ user, offset }) => {
    const argument = services.schemaOf(user)?.arguments[offset]
    return argument !== undefined && argument.alias === undefined && argument.elementAlias === undefined
  })
}

const known = new WeakMap<Graph, { readonly revision: number; readonly aliases: Aliases }>()

function aliasesOf(graph: Graph, services: PassServices): Aliases {
  const last = known.get(graph)
  if (last?.revision === graph.revision) return last.aliases
  const aliases = new Aliases(graph, services)
  known.set(graph, { revision: graph.revision, aliases })
  return aliases
}
