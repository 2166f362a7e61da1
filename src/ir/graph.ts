import { bug, invariant } from '../errors.ts'
import type { IValue } from './ivalue.ts'
import { BlockNodes, NestedNodes } from './node-iterator.ts'
import type { FunctionSchema } from './schema.ts'
import type { SourceRange } from './source-range.ts'
import { TensorT, type Type } from './types.ts'
import { ValueNames } from './value-names.ts'

/** One appearance of a value as an input. */
export interface Use {
  readonly user: Node
  readonly offset: number
}

/** An attribute of a node: a constant's content, an attribute's name, the types of an `isinstance`, a subgraph. */
export type Attribute =
  | { readonly kind: 'value'; readonly value: IValue }
  | { readonly kind: 'types'; readonly types: readonly Type[] }
  | { readonly kind: 'graph'; readonly graph: Graph }

/*
 * Members that begin with an underscore are written by graph-editor.ts only (a lint rule keeps it so): everybody
 * else reads a graph, and changes it through a `GraphEditor`.
 */

/** The result of a node, or an input of a block: assigned once. */
export class Value {
  readonly node: Node
  /** Unique in its graph; the printed name of a value without a debug name. */
  readonly unique: number
  /** @internal */
  _type: Type
  /** @internal */
  _offset: number
  /** @internal */
  _uses: Use[] = []
  /** @internal */
  _name: string | undefined

  constructor(node: Node, offset: number, type: Type) {
    this.node = node
    this._offset = offset
    this._type = type
    this.unique = node.graph._nextUnique++
  }

  get type(): Type {
    return this._type
  }
  /** Position among the node's outputs. */
  get offset(): number {
    return this._offset
  }
  get uses(): readonly Use[] {
    return this._uses
  }
  get hasDebugName(): boolean {
    return this._name !== undefined
  }
  /** Without the `%`. */
  get debugName(): string {
    return this._name ?? String(this.unique)
  }
  get graph(): Graph {
    return this.node.graph
  }
  get isBlockInput(): boolean {
    return this.node.kind === 'prim::Param'
  }
}

/** An operation: inputs, outputs, attributes, nested blocks. */
export class Node {
  readonly kind: string
  readonly graph: Graph
  range: SourceRange | undefined
  /** The operator that the kind and the argument types select; unset until resolved, and for control flow. */
  schema: FunctionSchema | undefined
  /** @internal */
  _inputs: Value[] = []
  /** @internal */
  _outputs: Value[] = []
  /** @internal */
  _blocks: readonly Block[] = noBlocks
  /** @internal */
  _attributes: ReadonlyMap<string, Attribute> = noAttributes
  /** @internal */
  _owningBlock: Block | undefined
  /** @internal */
  _prev: Node | undefined
  /** @internal */
  _next: Node | undefined
  /** @internal */
  _position = 0

  constructor(graph: Graph, kind: string) {
    this.graph = graph
    this.kind = kind
  }

  get inputs(): readonly Value[] {
    return this._inputs
  }
  get outputs(): readonly Value[] {
    return this._outputs
  }
  get blocks(): readonly Block[] {
    return this._blocks
  }
  get attributes(): ReadonlyMap<string, Attribute> {
    return this._attributes
  }
  get owningBlock(): Block {
    if (this._owningBlock === undefined) bug(`${this.kind} is in no block`)
    return this._owningBlock
  }
  /** The next node of the block; the block's return node at the end. */
  get next(): Node {
    if (this._next === undefined) bug(`${this.kind} is in no block`)
    return this._next
  }
  /** The node before; the block's return node at the beginning. */
  get prev(): Node {
    if (this._prev === undefined) bug(`${this.kind} is in no block`)
    return this._prev
  }
  get isDestroyed(): boolean {
    return this._owningBlock === undefined
  }

  /** The `offset`th input. */
  input(offset = 0): Value {
    const value = this._inputs[offset]
    if (value === undefined) bug(`${this.kind} has no input ${offset}`)
    return value
  }

  output(offset = 0): Value {
    const value = this._outputs[offset]
    if (value === undefined) bug(`${this.kind} has no output ${offset}`)
    return value
  }

  block(offset = 0): Block {
    const block = this._blocks[offset]
    if (block === undefined) bug(`${this.kind} has no block ${offset}`)
    return block
  }

  /** The input bound to the schema argument `name`, if the schema has it. */
  namedInput(name: string): Value | undefined {
    const offset = this.schema?.arguments.findIndex((argument) => argument.name === name) ?? -1
    return offset === -1 ? undefined : this._inputs[offset]
  }

  /** The content of a value attribute. */
  attribute(name: string): IValue | undefined {
    const attribute = this._attributes.get(name)
    return attribute?.kind === 'value' ? attribute.value : undefined
  }

  /** A string attribute that must be there, such as the `name` of a `prim::GetAttr`. */
  stringAttribute(name: string): string {
    const value = this.attribute(name)
    if (typeof value !== 'string') bug(`${this.kind} has no string attribute ${name}`)
    return value
  }

  /** Whether this node is executed before `other` wherever both are: also across nested blocks. */
  isBefore(other: Node): boolean {
    if (this === other) return false
    const left = ancestors(this)
    const right = ancestors(other)
    for (const mine of left) {
      const theirs = right.find((node) => node.owningBlock === mine.owningBlock)
      if (theirs !== undefined) return mine !== theirs && position(mine) < position(theirs)
    }
    invariant(false, 'nodes of different graphs compared')
  }
}

const noBlocks: readonly Block[] = []
const noAttributes: ReadonlyMap<string, Attribute> = new Map()

/** The node and the nodes around it, innermost first. */
function ancestors(node: Node): Node[] {
  const chain: Node[] = []
  for (let at: Node | undefined = node; at !== undefined; at = at.owningBlock.owningNode) chain.push(at)
  return chain
}

function position(node: Node): number {
  node.owningBlock._number()
  return node._position
}

/** A straight list of nodes with inputs and outputs. */
export class Block {
  readonly graph: Graph
  /** The `prim::If`, `prim::Loop`, … that it belongs to; undefined for the graph's own block. */
  readonly owningNode: Node | undefined
  /** Its outputs are the block's inputs. */
  readonly paramNode: Node
  /** Its inputs are the block's outputs; the end of the node list. */
  readonly returnNode: Node
  /** @internal */
  _numbered = false

  constructor(graph: Graph, owningNode: Node | undefined) {
    this.graph = graph
    this.owningNode = owningNode
    this.paramNode = new Node(graph, 'prim::Param')
    this.returnNode = new Node(graph, 'prim::Return')
    this.paramNode._owningBlock = this
    this.returnNode._owningBlock = this
    this.returnNode._next = this.returnNode
    this.returnNode._prev = this.returnNode
  }

  get inputs(): readonly Value[] {
    return this.paramNode.outputs
  }
  get outputs(): readonly Value[] {
    return this.returnNode.inputs
  }
  get isEmpty(): boolean {
    return this.returnNode.next === this.returnNode
  }

  /** The nodes in order, without those of nested blocks; they may change while it runs, as `BlockNodes` tells. */
  nodes(): IterableIterator<Node, undefined> {
    return new BlockNodes(this, 'next')
  }

  /** From last to first, under the same rules. */
  nodesReversed(): IterableIterator<Node, undefined> {
    return new BlockNodes(this, 'prev')
  }

  /** @internal Gives every node its position again after the list has changed. */
  _number(): void {
    if (this._numbered) return
    let position = 0
    this.paramNode._position = -1
    for (let node = this.returnNode.next; node !== this.returnNode; node = node.next)
      node._position = position++
    this.returnNode._position = position
    this._numbered = true
  }
}

/** A function body in SSA form, after `torch::jit::Graph`. */
export class Graph {
  /** @internal */
  _nextUnique = 0
  /** @internal */
  _revision = 0
  /** @internal */
  readonly _names = new ValueNames()
  readonly block: Block

  constructor() {
    this.block = new Block(this, undefined)
  }

  get inputs(): readonly Value[] {
    return this.block.inputs
  }
  get outputs(): readonly Value[] {
    return this.block.outputs
  }
  /** Another number after every change: what was computed from the graph holds while this stays the same. */
  get revision(): number {
    return this._revision
  }

  /** Every node, nested ones behind the node that holds them; of one kind if given. */
  nodes(kind?: string): IterableIterator<Node, undefined> {
    return new NestedNodes(this.block, (node) => node.blocks, kind)
  }

  /** The value with that debug name (or number), if any. */
  value(debugName: string): Value | undefined {
    return this._names.get(debugName) ?? findByUnique(this, debugName)
  }
}

function findByUnique(graph: Graph, debugName: string): Value | undefined {
  const matches = (value: Value): boolean => !value.hasDebugName && value.debugName === debugName
  const ofBlock = (block: Block): Value | undefined => {
    const input = block.inputs.find(matches)
    if (input) return input
    for (const node of block.nodes()) {
      const output = node.outputs.find(matches) ?? firstOf(node.blocks, ofBlock)
      if (output) return output
    }
    return undefined
  }
  return ofBlock(graph.block)
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** The default type of a new value. */
export const defaultType: Type = TensorT
