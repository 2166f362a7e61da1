import type { Graph, Node, Value } from '../../ir/graph.ts'
import type { PassServices } from '../pass.ts'
import { isMutableType, isMutation } from './effects.ts'
import { everyNode } from './module-slots.ts'

/** TEMPORARY: conservative until the alias database is there. */
export class Aliases {
  readonly #mutates: boolean
  readonly #services: PassServices
  constructor(graph: Graph, services: PassServices) {
    this.#services = services
    this.#mutates = [...everyNode(graph)].some((node) => isMutation(node, services))
  }
  hasValueWriters(value: Value): boolean {
    return this.#mutates && isMutableType(value.type)
  }
  hasWriters(node: Node): boolean {
    return [...node.inputs, ...node.outputs].some((value) => this.hasValueWriters(value))
  }
  writesAnyOf(node: Node, _values: ReadonlySet<Value>): boolean {
    return isMutation(node, this.#services)
  }
  writesOutside(node: Node): boolean {
    return isMutation(node, this.#services)
  }
  mayAlias(a: Value, b: Value): boolean {
    return isMutableType(a.type) && isMutableType(b.type)
  }
  safeToChangeAliasing(a: readonly Value[], b: readonly Value[]): boolean {
    return ![...a, ...b].some((value) => isMutableType(value.type))
  }
}
