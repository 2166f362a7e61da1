import { AliasAnalysis, type AliasOptions, type SchemaOf } from './alias-analysis.ts'
import { intersects, type Element } from './alias-memory.ts'
import { isMutableType } from './alias-types.ts'
import { Value, type Graph, type Node } from './graph.ts'

/**
 * Which values of a graph may share memory, and which nodes write to it (`AliasDb`,
 * torch/csrc/jit/ir/alias_analysis.h). It describes the graph as it was when the database was made. Of values that
 * it does not know, made later or in a subgraph, it says the worst.
 */
export class AliasDatabase {
  readonly #graph: Graph
  readonly #analysis: AliasAnalysis
  readonly #written = new Set<Element>()

  /** @param schemaOf the operator's schema; a node without one is taken to write and alias everything */
  constructor(graph: Graph, schemaOf: SchemaOf, options: AliasOptions = {}) {
    this.#graph = graph
    this.#analysis = new AliasAnalysis(graph, schemaOf, options)
    for (const locations of this.#analysis.writes.values())
      for (const location of locations) this.#written.add(location)
  }

  /** Whether writing one may change the other. */
  mayAlias(a: Value | Iterable<Value>, b: Value | Iterable<Value>): boolean {
    return this.#overlap(a, b, (element) => element.locations)
  }

  /** Whether they, or anything that they hold, may share memory. */
  mayContainAlias(a: Value | Iterable<Value>, b: Value | Iterable<Value>): boolean {
    return this.#overlap(a, b, (element) => element.reachable)
  }

  /** Whether any node writes the value; for a node, any of its inputs and outputs. */
  hasWriters(subject: Value | Node): boolean {
    if (!(subject instanceof Value)) return this.hasInputWriters(subject) || this.hasOutputWriters(subject)
    if (!isMutableType(subject.type)) return false
    const element = this.#analysis.elements.get(subject)
    return element === undefined || intersects(element.locations, this.#written)
  }

  hasInputWriters(node: Node): boolean {
    return node.inputs.some((input) => this.hasWriters(input))
  }

  hasOutputWriters(node: Node): boolean {
    return node.outputs.some((output) => this.hasWriters(output))
  }

  /** The nodes that may write the value, innermost ones, in the order of the graph. */
  writers(value: Value): readonly Node[] {
    return this.#writersOf(value, (element) => element.locations)
  }

  /** As `writers`, of the value or of anything that it holds. */
  containedWriters(value: Value): readonly Node[] {
    return this.#writersOf(value, (element) => element.reachable)
  }

  #writersOf(value: Value, places: (element: Element) => ReadonlySet<Element>): readonly Node[] {
    if (!isMutableType(value.type)) return []
    const element = this.#analysis.elements.get(value)
    if (element !== undefined && !intersects(places(element), this.#written)) return []
    const writers: Node[] = []
    for (const [node, writes] of this.#analysis.writes)
      if (!node.isDestroyed && (element === undefined || intersects(writes, places(element))))
        writers.push(node)
    return writers.sort((a, b) => (a.isBefore(b) ? -1 : 1))
  }

  /** Whether the node, or one in its blocks, may write any of the values. */
  writesToAlias(node: Node, values: Iterable<Value>): boolean {
    const writes = this.#writesOf(node)
    if (writes.size === 0) return false
    for (const value of values) {
      if (!isMutableType(value.type)) continue
      const element = this.#analysis.elements.get(value)
      if (element === undefined || intersects(writes, element.locations)) return true
    }
    return false
  }

  /** Whether the node writes anything at all. */
  writes(node: Node): boolean {
    return this.#writesOf(node).size > 0
  }

  /**
   * Whether the node, or one in its blocks, may write memory that others can see beyond the graph's own values: its
   * inputs, and whatever is or was in a container.
   */
  writesToWildcard(node: Node): boolean {
    const writes = this.#writesOf(node)
    if (writes.size === 0) return false
    for (const wildcard of this.#analysis.wildcards.values()) if (writes.has(wildcard)) return true
    return false
  }

  /** Whether any of the values may be seen from outside: through inputs, outputs or containers. */
  escapesScope(values: readonly Value[]): boolean {
    return (
      this.mayContainAlias(this.#graph.inputs, values) ||
      this.mayContainAlias(this.#graph.outputs, values) ||
      values.some((value) => this.mayAliasWildcard(value))
    )
  }

  /** Whether it makes no difference if the values of `a` and `b` alias or not: nobody writes them and not both escape. */
  safeToChangeAliasing(a: readonly Value[], b: readonly Value[]): boolean {
    if ([...a, ...b].some((value) => this.hasWriters(value))) return false
    return !(this.escapesScope(a) && this.escapesScope(b))
  }

  /** Whether the value may be memory that others hold: an input's, an attribute's, a part of what is unknown. */
  mayAliasWildcard(value: Value): boolean {
    if (!isMutableType(value.type)) return false
    const element = this.#analysis.elements.get(value)
    return element === undefined || intersects(element.locations, new Set(this.#analysis.wildcards.values()))
  }

  #overlap(
    a: Value | Iterable<Value>,
    b: Value | Iterable<Value>,
    places: (element: Element) => ReadonlySet<Element>,
  ): boolean {
    const left = this.#places(a, places)
    const right = this.#places(b, places)
    if (left === undefined) return right?.size !== 0
    return right === undefined ? left.size > 0 : intersects(left, right)
  }

  /** Undefined if one of them is unknown: it may be anywhere. */
  #places(
    values: Value | Iterable<Value>,
    places: (element: Element) => ReadonlySet<Element>,
  ): Set<Element> | undefined {
    const found = new Set<Element>()
    for (const value of values instanceof Value ? [values] : values) {
      if (!isMutableType(value.type)) continue
      const element = this.#analysis.elements.get(value)
      if (element === undefined) return undefined
      for (const place of places(element)) found.add(place)
    }
    return found
  }

  #writesOf(node: Node): ReadonlySet<Element> {
    const own = this.#analysis.writes.get(node)
    if (node.blocks.length === 0) return own ?? nothing
    const all = new Set(own)
    for (const block of node.blocks)
      for (const inner of block.nodes()) for (const element of this.#writesOf(inner)) all.add(element)
    return all
  }
}

const nothing: ReadonlySet<Element> = new Set()
