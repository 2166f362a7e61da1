import { Element, intersects } from './alias-memory.ts'
import { aliasTypes, containedTypes, isUnknownType, wildcardName } from './alias-types.ts'
import { ruleFor } from './alias-rules.ts'
import type { Block, Graph, Node, Value } from './graph.ts'
import type { FunctionSchema } from './schema.ts'
import type { Type } from './types.ts'

export type SchemaOf = (node: Node) => FunctionSchema | undefined

export interface AliasOptions {
  /** Modules are about to be frozen: what they hold counts as made afresh at every read. */
  readonly frozen?: boolean
  /** Whether a norm may write its running statistics; without it, unless a constant says that it does not train. */
  readonly mayTrain?: (norm: Node) => boolean
}

/**
 * Walks a graph once and draws what points to what and which node writes where, after `AliasDb::analyze`
 * (torch/csrc/jit/ir/alias_analysis.cpp). It differs where libtorch's rules lose an alias: what a loop carries also
 * aliases what its body hands on, operators such as dropout may return their argument, values of unknown type may be
 * anything.
 */
export class AliasAnalysis {
  readonly elements = new Map<Value, Element>()
  /** One for each wildcard set, by `wildcardName`. */
  readonly wildcards = new Map<string, Element>()
  readonly #wildcardByType = new Map<Type, Element>()
  readonly writes = new Map<Node, Set<Element>>()
  readonly schemaOf: SchemaOf
  readonly options: AliasOptions
  readonly #hasUnknownTypes: boolean
  /** Values in a wildcard set. */
  readonly #wild = new Set<Value>()
  /** Objects of classes that are not known hold whatever is in a container. */
  readonly #opaque = new Set<Element>()
  readonly #writesContained = new Map<Node, Set<Element>>()
  readonly #writesAllWildcards = new Set<Node>()
  #elementCount = 0

  constructor(graph: Graph, schemaOf: SchemaOf, options: AliasOptions) {
    this.schemaOf = schemaOf
    this.options = options
    this.#hasUnknownTypes = hasUnknownTypes(graph.block)
    for (const input of graph.inputs) this.setWildcard(input)
    this.block(graph.block)
    this.#joinWildcards()
    this.#resolveWrites()
  }

  block(block: Block): void {
    for (const node of block.nodes()) {
      ruleFor(node)(this, node)
      for (const output of node.outputs) this.ensure(output)
    }
  }

  wildcardOf(type: Type): Element | undefined {
    const types = aliasTypes(type)
    const [first] = types
    if (first === undefined) return undefined
    if (types.length === 1) return this.#wildcard(first)
    const element = this.#newElement()
    for (const member of types) element.pointTo(this.#wildcard(member))
    return element
  }

  #wildcard(type: Type): Element {
    const element = this.#wildcardByType.get(type) ?? this.#wildcardNamed(type)
    this.#wildcardByType.set(type, element)
    return element
  }

  #wildcardNamed(type: Type): Element {
    const name = wildcardName(type, this.#hasUnknownTypes)
    let element = this.wildcards.get(name)
    if (element === undefined) {
      element = this.#newElement()
      this.wildcards.set(name, element)
      this.#addContained(element, type)
    }
    return element
  }

  #newElement(): Element {
    return new Element(this.#elementCount++)
  }

  /** What a container holds when nothing better is known: anything of the right type that is in some container. */
  #addContained(element: Element, type: Type): void {
    if (type.kind === 'Opaque') this.#opaque.add(element)
    for (const part of containedTypes(type)) {
      const wildcard = this.wildcardOf(part)
      if (wildcard !== undefined) element.contain(wildcard)
    }
  }

  /** Memory of its own, unless the value has an element already. */
  giveFresh(value: Value, holdsWildcards = true): void {
    const types = aliasTypes(value.type)
    if (types.length === 0 || this.elements.has(value)) return
    const element = this.#newElement()
    this.elements.set(value, element)
    if (!holdsWildcards) return
    const [first] = types
    if (first !== undefined && types.length === 1) this.#addContained(element, first)
    else for (const type of types) element.pointTo(this.#wildcard(type))
  }

  ensure(value: Value): Element | undefined {
    this.giveFresh(value)
    return this.elements.get(value)
  }

  /** The value may alias whatever else of its type is in a container or comes from outside. */
  setWildcard(value: Value): Element | undefined {
    const wildcard = this.wildcardOf(value.type)
    if (wildcard === undefined) return undefined
    this.ensure(value)
    this.#wild.add(value)
    return wildcard
  }

  point(from: Value, to: Value): void {
    const fromElement = this.ensure(from)
    const toElement = this.ensure(to)
    if (fromElement === undefined || toElement === undefined || isNothing(from) || isNothing(to)) return
    fromElement.pointTo(toElement)
  }

  pointAll(from: readonly Value[], to: readonly Value[]): void {
    from.forEach((value, i) => {
      const target = to[i]
      if (target !== undefined) this.point(value, target)
    })
  }

  contain(part: Value, container: Value): void {
    const element = this.ensure(part)
    if (element !== undefined) this.ensure(container)?.contain(element)
  }

  write(node: Node, value: Value | undefined): void {
    const element = value && this.ensure(value)
    if (element !== undefined) addTo(this.writes, node, element)
  }

  /** The node may write the value and everything in it. */
  writeContained(node: Node, value: Value): void {
    const element = this.ensure(value)
    if (element !== undefined) addTo(this.#writesContained, node, element)
  }

  writeAllWildcards(node: Node): void {
    this.#writesAllWildcards.add(node)
  }

  /** The graph of a node that runs it on its inputs. */
  ofSubgraph(graph: Graph): AliasAnalysis {
    return new AliasAnalysis(graph, this.schemaOf, this.options)
  }

  /** Whether any node of the graph writes memory that its inputs or containers may hold. */
  get writesOutside(): boolean {
    const wildcards = new Set(this.wildcards.values())
    return [...this.writes.values()].some((locations) => intersects(locations, wildcards))
  }

  /** All that a wildcard value may be becomes a pointer to its set. */
  #joinWildcards(): void {
    const targets = [...this.#wild].map(
      (value) => [this.elements.get(value), this.wildcardOf(value.type)] as const,
    )
    const sets = new Set(this.wildcards.values())
    for (const object of this.#opaque) for (const wildcard of sets) object.contain(wildcard)
    for (const [element, wildcard] of targets) {
      if (element === undefined || wildcard === undefined) continue
      for (const location of element.findLocations()) if (!sets.has(location)) location.pointTo(wildcard)
    }
  }

  #resolveWrites(): void {
    for (const [node, elements] of this.writes)
      this.writes.set(node, new Set([...elements].flatMap((element) => [...element.locations])))
    for (const [node, elements] of this.#writesContained)
      for (const element of elements)
        for (const location of element.reachable) addTo(this.writes, node, location)
    for (const node of this.#writesAllWildcards)
      for (const wildcard of this.wildcards.values()) addTo(this.writes, node, wildcard)
  }
}

function addTo(map: Map<Node, Set<Element>>, node: Node, element: Element): void {
  const elements = map.get(node)
  if (elements) elements.add(element)
  else map.set(node, new Set([element]))
}

function hasUnknownTypes(block: Block): boolean {
  if (block.inputs.some((input) => isUnknownType(input.type))) return true
  for (const node of block.nodes())
    if (node.outputs.some((output) => isUnknownType(output.type)) || node.blocks.some(hasUnknownTypes))
      return true
  return false
}

/** A value that stands where something mutable may stand, but is nothing itself. */
function isNothing(value: Value): boolean {
  const { node, type } = value
  if (type.kind === 'None' || node.kind === 'prim::Uninitialized') return true
  return (
    node.kind === 'prim::Constant' && type.kind === 'Optional' && (node.attribute('value') ?? null) === null
  )
}
