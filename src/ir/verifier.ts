/* eslint-disable no-restricted-syntax -- only read here: the links of a broken graph must be seen as they are */
import { VerifierError } from './errors.ts'
import { formatFaults } from './verifier-report.ts'
import { kindFaults } from './verifier-kinds.ts'
import type { Block, Graph, Node, Value } from './graph.ts'

/** A rule that a graph breaks, and where. */
export interface Fault {
  readonly subject: Node | Block | Value
  readonly message: string
}

export interface VerifyOptions {
  /** How many values the graph must return; a function's graph returns one. */
  readonly outputs?: number
}

/**
 * Checks a graph as `Graph::lint` (torch/csrc/jit/ir/ir.cpp) does and further: lists and uses agree, definitions
 * dominate uses, blocks have the inputs and outputs that their node asks for, types and constants fit.
 *
 * @throws VerifierError that lists every fault and shows it in the graph's text
 */
export function verifyGraph(graph: Graph, options: VerifyOptions = {}): void {
  const faults = findFaults(graph, options)
  if (faults.length > 0) throw new VerifierError(formatFaults(graph, faults))
}

/** All faults, in the order of the graph. */
export function findFaults(graph: Graph, options: VerifyOptions = {}): Fault[] {
  const verifier = new Verifier(graph)
  verifier.run()
  const { length } = graph.outputs
  if (options.outputs !== undefined && length !== options.outputs)
    verifier.faults.push({
      subject: graph.block,
      message: `the graph returns ${length} values, not ${options.outputs}`,
    })
  return verifier.faults
}

class Verifier {
  readonly faults: Fault[] = []
  readonly #graph: Graph
  readonly #nodes = new Set<Node>()
  readonly #names = new Map<string, Value>()
  /** Values that are defined at the node being checked. */
  readonly #inScope = new Set<Value>()

  constructor(graph: Graph) {
    this.#graph = graph
  }

  run(): void {
    this.#collect(this.#graph.block)
    this.#block(this.#graph.block)
  }

  #fault(subject: Fault['subject'], message: string): void {
    this.faults.push({ subject, message })
  }

  #collect(block: Block): void {
    this.#nodes.add(block.paramNode)
    this.#nodes.add(block.returnNode)
    for (const node of listedNodes(block)) {
      if (this.#nodes.has(node)) continue
      this.#nodes.add(node)
      for (const inner of node.blocks) this.#collect(inner)
    }
  }

  #block(block: Block): void {
    this.#links(block)
    this.#outputs(block.paramNode)
    const defined = [...block.inputs]
    for (const input of block.inputs) this.#inScope.add(input)
    for (const node of listedNodes(block)) {
      this.#node(node)
      for (const output of node.outputs) {
        this.#inScope.add(output)
        defined.push(output)
      }
    }
    this.#inputs(block.returnNode, block)
    for (const value of defined) this.#inScope.delete(value)
  }

  /** The list is closed, and every node knows its block. */
  #links(block: Block): void {
    for (const node of listedNodes(block)) {
      if (node._owningBlock !== block)
        this.#fault(node, 'the node does not belong to the block that lists it')
      if (node._prev?._next !== node) this.#fault(node, 'the node before does not lead here')
    }
  }

  #node(node: Node): void {
    if (node.graph !== this.#graph) this.#fault(node, 'the node belongs to another graph')
    this.#inputs(node, node)
    for (const block of node.blocks) {
      if (block.owningNode !== node) this.#fault(block, 'the block belongs to another node')
      this.#block(block)
    }
    this.#outputs(node)
    for (const message of kindFaults(node)) this.#fault(node, message)
    for (const attribute of node.attributes.values())
      if (attribute.kind === 'graph') this.faults.push(...findFaults(attribute.graph))
  }

  #inputs(node: Node, subject: Node | Block): void {
    node.inputs.forEach((value, offset) => {
      const uses = value.uses.filter((use) => use.user === node && use.offset === offset).length
      if (uses !== 1)
        this.#fault(subject, `%${value.debugName} lists its use as input ${offset} ${uses} times`)
      if (!this.#inScope.has(value)) this.#fault(subject, this.#outOfScope(value))
    })
  }

  #outOfScope(value: Value): string {
    const name = `%${value.debugName}`
    if (value.graph !== this.#graph) return `${name} belongs to another graph`
    if (!this.#nodes.has(value.node)) return `${name} is the result of a node that was destroyed`
    return `${name} is not defined here: its definition comes later or in a block that is not around`
  }

  #outputs(node: Node): void {
    node.outputs.forEach((value, offset) => {
      const name = `%${value.debugName}`
      if (value.node !== node || value.offset !== offset)
        this.#fault(value, `${name} does not know that it is output ${offset}`)
      const namesake = this.#names.get(value.debugName)
      if (namesake !== undefined) this.#fault(value, `${name} is the name of two values`)
      if (value.hasDebugName && this.#graph._names.get(value.debugName) !== value)
        this.#fault(value, `${name} is not registered under its name`)
      this.#names.set(value.debugName, value)
      for (const use of value.uses) this.#use(value, use.user, use.offset)
    })
  }

  #use(value: Value, user: Node, offset: number): void {
    const name = `%${value.debugName}`
    if (!this.#nodes.has(user)) this.#fault(value, `${name} lists a use by a ${user.kind} that was destroyed`)
    else if (user.inputs[offset] !== value)
      this.#fault(
        value,
        `${name} lists a use as input ${offset} of a ${user.kind} that does not use it there`,
      )
  }
}

/** The nodes of a list that may be broken: it ends where it leads back or nowhere. */
function listedNodes(block: Block): Node[] {
  const nodes = new Set<Node>()
  let node = block.returnNode._next
  while (node !== undefined && node !== block.returnNode && !nodes.has(node)) {
    nodes.add(node)
    node = node._next
  }
  return [...nodes]
}
