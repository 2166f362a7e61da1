import { bug, invariant } from '../errors.ts'
import { Block, defaultType, Graph, Node, Value, type Attribute, type Use } from './graph.ts'
import type { IValue } from './ivalue.ts'
import type { FunctionSchema } from './schema.ts'
import type { SourceRange } from './source-range.ts'
import type { Type } from './types.ts'

export interface NodeOptions {
  /** Types of the outputs; one `Tensor` when left out. */
  readonly outputs?: readonly Type[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly range?: SourceRange | undefined
  readonly schema?: FunctionSchema | undefined
}

/** A value attribute. */
export function attributeOf(value: IValue): Attribute {
  return { kind: 'value', value }
}

/** The only way to change a graph. New nodes go in front of the insert point. */
export class GraphEditor {
  readonly graph: Graph
  #insertPoint: Node
  #range: SourceRange | undefined

  constructor(graph: Graph) {
    this.graph = graph
    this.#insertPoint = graph.block.returnNode
  }

  get insertPoint(): Node {
    return this.#insertPoint
  }

  /** Runs `body` with the insert point in front of `node` (the end of the block, for a block). */
  at<T>(place: Node | Block, body: () => T): T {
    const saved = this.#insertPoint
    this.#insertPoint = place instanceof Block ? place.returnNode : place
    try {
      return body()
    } finally {
      this.#insertPoint = saved
    }
  }

  /** Runs `body`; nodes that it creates without a range of their own come from `range`. */
  from<T>(range: SourceRange | undefined, body: () => T): T {
    const saved = this.#range
    this.#range = range
    try {
      return body()
    } finally {
      this.#range = saved
    }
  }

  /** A node in no block yet. */
  create(kind: string, inputs: readonly Value[] = [], options: NodeOptions = {}): Node {
    const node = new Node(this.graph, kind)
    for (const type of options.outputs ?? [defaultType]) this.addOutput(node, type)
    this.#setInputs(node, [...inputs])
    if (options.attributes) node._attributes = new Map(Object.entries(options.attributes))
    node.range = options.range ?? this.#range
    node.schema = options.schema
    return node
  }

  /** Creates a node at the insert point. */
  insert(kind: string, inputs: readonly Value[] = [], options: NodeOptions = {}): Node {
    return this.insertNode(this.create(kind, inputs, options))
  }

  insertNode(node: Node): Node {
    return this.insertBefore(node, this.#insertPoint)
  }

  /** A `prim::Constant` at the insert point. */
  insertConstant(value: IValue, type: Type, range?: SourceRange): Value {
    const attributes = value === null ? {} : { value: attributeOf(value) }
    return this.insert('prim::Constant', [], { outputs: [type], attributes, range }).output()
  }

  insertBefore(node: Node, place: Node): Node {
    this.graph._revision++
    if (!node.isDestroyed) bug(`${node.kind} is in a block already`)
    const block = place.owningBlock
    node._owningBlock = block
    node._prev = place.prev
    node._next = place
    place.prev._next = node
    place._prev = node
    block._numbered = false
    return node
  }

  insertAfter(node: Node, place: Node): Node {
    return this.insertBefore(node, place.kind === 'prim::Param' ? firstNode(place.owningBlock) : place.next)
  }

  moveBefore(node: Node, place: Node): void {
    if (node === place) return
    unlink(node)
    this.insertBefore(node, place)
  }

  moveAfter(node: Node, place: Node): void {
    if (node === place) return
    unlink(node)
    this.insertAfter(node, place)
  }

  /** Removes the node and its blocks for good; none of its outputs may have a use left. */
  destroy(node: Node): void {
    for (const output of node.outputs)
      if (output.uses.length !== 0) bug(`%${output.debugName} of ${node.kind} is still used`)
    for (const block of [...node.blocks].reverse()) this.#destroyBlock(block)
    node._blocks = []
    this.removeAllInputs(node)
    for (const output of node.outputs) this.graph._names.release(output)
    if (!node.isDestroyed) unlink(node)
  }

  #destroyBlock(block: Block): void {
    this.removeAllInputs(block.returnNode)
    for (const node of block.nodesReversed()) this.destroy(node)
    for (const input of block.inputs) this.graph._names.release(input)
  }

  addBlock(node: Node): Block {
    this.graph._revision++
    const block = new Block(this.graph, node)
    node._blocks = [...node._blocks, block]
    return block
  }

  eraseBlock(node: Node, offset: number): void {
    this.graph._revision++
    this.#destroyBlock(node.block(offset))
    node._blocks = node._blocks.toSpliced(offset, 1)
  }

  addInput(node: Node, value: Value): void {
    this.graph._revision++
    this.#checkOwn(value)
    addUse(value, { user: node, offset: node._inputs.length })
    node._inputs = added(node._inputs, value)
  }

  /** The first inputs of a node that has none. */
  #setInputs(node: Node, inputs: Value[]): void {
    this.graph._revision++
    for (let offset = 0; offset < inputs.length; offset++) {
      const value = inputs[offset] as Value
      this.#checkOwn(value)
      addUse(value, { user: node, offset })
    }
    node._inputs = inputs
  }

  #checkOwn(value: Value): void {
    if (value.graph !== this.graph) bug(`%${value.debugName} belongs to another graph`)
  }

  insertInput(node: Node, offset: number, value: Value): void {
    this.#checkOwn(value)
    this.#editInputs(node, () => node._inputs.splice(offset, 0, value))
  }

  removeInput(node: Node, offset: number): void {
    this.#editInputs(node, () => node._inputs.splice(offset, 1))
  }

  removeAllInputs(node: Node): void {
    this.graph._revision++
    for (let offset = node._inputs.length - 1; offset >= 0; offset--)
      dropUse(node.input(offset), node, offset)
    node._inputs.length = 0
  }

  /** Input `i` becomes what input `order[i]` was. */
  permuteInputs(node: Node, order: readonly number[]): void {
    const inputs = order.map((offset) => node.input(offset))
    this.#editInputs(node, () => node._inputs.splice(0, node._inputs.length, ...inputs))
  }

  replaceInput(node: Node, offset: number, value: Value): void {
    this.graph._revision++
    const old = node.input(offset)
    if (old === value) return
    dropUse(old, node, offset)
    node._inputs[offset] = value
    addUse(value, { user: node, offset })
  }

  #editInputs(node: Node, edit: () => void): void {
    this.graph._revision++
    for (const input of new Set(node.inputs)) {
      const kept = input._uses.filter((use) => use.user !== node)
      input._uses.length = 0
      input._uses.push(...kept)
    }
    edit()
    node._inputs.forEach((input, offset) => addUse(input, { user: node, offset }))
  }

  addOutput(node: Node, type: Type = defaultType): Value {
    this.graph._revision++
    const value = new Value(node, node.outputs.length, type)
    node._outputs = added(node._outputs, value)
    return value
  }

  insertOutput(node: Node, offset: number, type: Type = defaultType): Value {
    this.graph._revision++
    const value = new Value(node, offset, type)
    node._outputs.splice(offset, 0, value)
    node._outputs.forEach((output, i) => (output._offset = i))
    return value
  }

  eraseOutput(node: Node, offset: number): void {
    this.graph._revision++
    const output = node.output(offset)
    if (output.uses.length !== 0) bug(`%${output.debugName} is still used`)
    this.graph._names.release(output)
    node._outputs.splice(offset, 1)
    node._outputs.forEach((value, i) => (value._offset = i))
  }

  /** Output `i` becomes what output `order[i]` was; uses follow their value. */
  permuteOutputs(node: Node, order: readonly number[]): void {
    this.graph._revision++
    const outputs = order.map((offset) => node.output(offset))
    node._outputs.splice(0, node._outputs.length, ...outputs)
    outputs.forEach((output, i) => (output._offset = i))
  }

  addBlockInput(block: Block, type: Type = defaultType): Value {
    return this.addOutput(block.paramNode, type)
  }

  eraseBlockInput(block: Block, offset: number): void {
    this.eraseOutput(block.paramNode, offset)
  }

  addBlockOutput(block: Block, value: Value): void {
    this.addInput(block.returnNode, value)
  }

  eraseBlockOutput(block: Block, offset: number): void {
    this.removeInput(block.returnNode, offset)
  }

  replaceAllUses(value: Value, replacement: Value): void {
    this.graph._revision++
    if (value === replacement) return
    for (const use of value._uses) {
      use.user._inputs[use.offset] = replacement
      addUse(replacement, use)
    }
    value._uses.length = 0
  }

  /** Replaces the uses in nodes behind `place` (and in blocks nested there). */
  replaceUsesAfter(value: Value, place: Node, replacement: Value): void {
    for (const use of [...value.uses])
      if (place.isBefore(use.user)) this.replaceInput(use.user, use.offset, replacement)
  }

  /** Gives the next new value the number `unique`, which no other value of the graph may have. */
  numberNextValue(unique: number): void {
    this.graph._nextUnique = unique
  }

  setType(value: Value, type: Type): Value {
    this.graph._revision++
    value._type = type
    return value
  }

  /** Names the value; whoever has the name is renamed. `''` clears it. */
  setDebugName(value: Value, name: string): Value {
    this.graph._names.set(value, name)
    return value
  }

  setAttribute(node: Node, name: string, attribute: Attribute): void {
    this.graph._revision++
    node._attributes = new Map(node._attributes).set(name, attribute)
  }

  removeAttribute(node: Node, name: string): void {
    this.graph._revision++
    node._attributes = new Map([...node._attributes].filter(([other]) => other !== name))
  }

  /** Type, and name if it has one. */
  copyMetadata(from: Value, to: Value): void {
    this.setType(to, from.type)
    if (from.hasDebugName) this.setDebugName(to, from.debugName)
  }

  /** A copy of a node of any graph, in no block yet; `map` gives this graph's value for each input. */
  copyNode(node: Node, map: (value: Value) => Value): Node {
    const copy = new Node(this.graph, node.kind)
    for (const output of node.outputs) this.copyMetadata(output, this.addOutput(copy))
    this.#setInputs(copy, node.inputs.map(map))
    copy._attributes = copyAttributes(node._attributes)
    copy.range = node.range ?? this.#range
    copy.schema = node.schema
    for (const block of node.blocks) this.copyBlock(block, this.addBlock(copy), map)
    return copy
  }

  /** Copies inputs, nodes and outputs of `from` to the end of `to`. */
  copyBlock(from: Block, to: Block, outer: (value: Value) => Value): void {
    const local = new Map<Value, Value>()
    const map = (value: Value): Value => local.get(value) ?? outer(value)
    for (const input of from.inputs) {
      const copy = this.addBlockInput(to)
      this.copyMetadata(input, copy)
      local.set(input, copy)
    }
    for (const node of from.nodes()) {
      const copy = this.insertBefore(this.copyNode(node, map), to.returnNode)
      node.outputs.forEach((output, i) => local.set(output, copy.output(i)))
    }
    for (const output of from.outputs) this.addBlockOutput(to, map(output))
  }

  /** Copies the body of `callee` to the insert point with `inputs` as its inputs; returns its outputs here. */
  insertGraph(callee: Graph, inputs: readonly Value[]): Value[] {
    const local = new Map<Value, Value>()
    callee.inputs.forEach((input, i) => {
      const value = inputs[i]
      invariant(value !== undefined, 'too few inputs for the inserted graph')
      local.set(input, value)
    })
    const map = (value: Value): Value => {
      const mapped = local.get(value)
      if (mapped === undefined) bug(`%${value.debugName} is not of the inserted graph`)
      return mapped
    }
    for (const node of callee.block.nodes()) {
      const copy = this.insertNode(this.copyNode(node, map))
      node.outputs.forEach((output, i) => local.set(output, copy.output(i)))
    }
    return callee.outputs.map(map)
  }
}

/** With the new one at the end. Most are alone: an array that `push` begins has room for 17. */
function added<T>(items: T[], item: T): T[] {
  if (items.length === 0) return [item]
  items.push(item)
  return items
}

function addUse(value: Value, use: Use): void {
  value._uses = added(value._uses, use)
}

function firstNode(block: Block): Node {
  return block.returnNode.next
}

/** Searches from the end: nodes are mostly destroyed last to first. */
function dropUse(value: Value, user: Node, offset: number): void {
  const uses = value._uses
  let at = uses.length - 1
  while (at >= 0 && (uses[at]?.user !== user || uses[at]?.offset !== offset)) at--
  if (at === uses.length - 1) uses.pop()
  else uses.splice(at, 1)
}

function unlink(node: Node): void {
  node.graph._revision++
  node.owningBlock._numbered = false
  node.prev._next = node.next
  node.next._prev = node.prev
  node._owningBlock = undefined
  node._next = undefined
  node._prev = undefined
}

/** Subgraphs belong to their node; everything else is shared. */
function copyAttributes(attributes: ReadonlyMap<string, Attribute>): ReadonlyMap<string, Attribute> {
  const copies = [...attributes].map(([name, attribute]): [string, Attribute] => [
    name,
    attribute.kind === 'graph' ? { kind: 'graph', graph: copyGraph(attribute.graph) } : attribute,
  ])
  return copies.some(([, { kind }]) => kind === 'graph') ? new Map(copies) : attributes
}

/** A copy of the whole graph, names included. */
export function copyGraph(graph: Graph): Graph {
  const copy = new Graph()
  const editor = new GraphEditor(copy)
  editor.copyBlock(graph.block, copy.block, (value) => {
    bug(`%${value.debugName} is not of the copied graph`)
  })
  return copy
}
