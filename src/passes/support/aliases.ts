import { AliasDatabase } from '../../ir/alias-database.ts'
import { isMutableType } from '../../ir/alias-types.ts'
import type { Graph, Node, Value } from '../../ir/graph.ts'
import type { PassServices } from '../pass.ts'
import { isKeptOutside } from './kept-outside.ts'

/**
 * What passes ask about shared memory. The analysis is made at the first question that types alone do not answer, and
 * describes the graph as it was then: of values that are made later it says the worst.
 */
export class Aliases {
  readonly #graph: Graph
  readonly #services: PassServices
  readonly #standIns = new Map<Value, Value>()
  #made: AliasDatabase | undefined

  constructor(graph: Graph, services: PassServices) {
    this.#graph = graph
    this.#services = services
  }

  get #database(): AliasDatabase {
    return (this.#made ??= new AliasDatabase(this.#graph, (node) => this.#services.schemaOf(node)))
  }

  /** The value, which is new, takes the place of an old one: what holds for that one holds for it. */
  replace(old: Value, value: Value): void {
    this.#standIns.set(value, this.#analysed(old))
  }

  #analysed(value: Value): Value {
    return this.#standIns.get(value) ?? value
  }

  /** Whether anything writes the value. */
  hasValueWriters(value: Value): boolean {
    return isMutableType(value.type) && this.#database.hasWriters(this.#analysed(value))
  }

  /** Whether anything writes an input or output of the node. */
  hasWriters(node: Node): boolean {
    return [...node.inputs, ...node.outputs].some((value) => this.hasValueWriters(value))
  }

  /** Whether the value may be kept, and so written, outside the graph: as an attribute, in a list that an attribute is. */
  isKeptOutside(value: Value): boolean {
    return (
      isMutableType(value.type) &&
      this.#database.mayAliasWildcard(this.#analysed(value)) &&
      isKeptOutside(value, this.#services)
    )
  }

  /** Whether the node writes memory that one of the values may share. */
  writesAnyOf(node: Node, values: ReadonlySet<Value>): boolean {
    return this.#database.writes(node) && this.#database.writesToAlias(node, values)
  }

  /** Whether the node writes memory that may be seen from outside the graph. */
  writesOutside(node: Node): boolean {
    return this.#database.writesToWildcard(node)
  }

  mayAlias(a: Value, b: Value): boolean {
    return (
      isMutableType(a.type) &&
      isMutableType(b.type) &&
      this.#database.mayAlias(this.#analysed(a), this.#analysed(b))
    )
  }

  /** Whether nobody can see if values of the one list and of the other become, or stop being, the same memory. */
  safeToChangeAliasing(a: readonly Value[], b: readonly Value[]): boolean {
    const mutable = (values: readonly Value[]): Value[] =>
      values.filter((value) => isMutableType(value.type)).map((value) => this.#analysed(value))
    const [left, right] = [mutable(a), mutable(b)]
    return left.length === 0 || right.length === 0 || this.#database.safeToChangeAliasing(left, right)
  }
}
