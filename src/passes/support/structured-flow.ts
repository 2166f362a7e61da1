import type { Block, Graph, Node, Value } from '../../ir/graph.ts'
import { constantBool, constantOf } from './constants.ts'
import { loopBodyOffset, loopInputOffset } from './control-flow.ts'

/** A way from one straight piece of a graph to another. */
export interface FlowEdge {
  readonly from: FlowBlock
  readonly to: FlowBlock
  /** What outputs of conditions and loops, and inputs of loop bodies, are on this way; undefined: nothing that is named. */
  readonly renamed: ReadonlyMap<Value, Value | undefined>
  /** Where a node is executed exactly when this way is taken; undefined if there is no such place. */
  readonly place: 'end of from' | 'start of to' | undefined
  /** Whether what is computed behind must not be computed in front: something happens in between. */
  readonly isOneWay: boolean
  /** The loop that is over on this way. */
  readonly leaves?: Node
}

/** Nodes that are executed one after the other. */
export interface FlowBlock {
  /** A block is numbered behind all that lead to it, but for the ways back of loops. */
  readonly index: number
  readonly nodes: readonly Node[]
  /** The block of the graph whose values are named here. */
  readonly owner: Block
  /** The condition whose branches, or the loop whose turns, meet here. */
  readonly merges?: Node
  /** What comes behind the last node. */
  readonly end: Node
  readonly incoming: readonly FlowEdge[]
  readonly outgoing: readonly FlowEdge[]
}

export interface FlowOptions {
  /** Whether the order of what happens before and behind the node can be observed. */
  readonly isObserver: (node: Node) => boolean
}

/** The blocks of the graph as a flow graph; the first one is the entry, others without a way in are never reached. */
export function flowOf(graph: Graph, options: FlowOptions): readonly FlowBlock[] {
  const builder = new Builder(options)
  builder.graph(graph)
  return builder.blocks
}

interface MutableBlock {
  readonly index: number
  readonly nodes: Node[]
  readonly owner: Block
  readonly merges?: Node
  end: Node
  readonly incoming: FlowEdge[]
  readonly outgoing: FlowEdge[]
}

const same: ReadonlyMap<Value, Value | undefined> = new Map()

class Builder {
  readonly blocks: MutableBlock[] = []
  readonly #options: FlowOptions

  constructor(options: FlowOptions) {
    this.#options = options
  }

  graph({ block }: Graph): void {
    this.#body(block, this.#open(block))
  }

  #open(owner: Block, merges?: Node): MutableBlock {
    const block: MutableBlock = {
      index: this.blocks.length,
      nodes: [],
      owner,
      ...(merges && { merges }),
      end: owner.returnNode,
      incoming: [],
      outgoing: [],
    }
    this.blocks.push(block)
    return block
  }

  #connect(
    from: MutableBlock,
    to: MutableBlock,
    edge: Partial<FlowEdge> & Pick<FlowEdge, 'place'>,
  ): MutableBlock {
    const whole: FlowEdge = { from, to, renamed: same, isOneWay: false, ...edge }
    from.outgoing.push(whole)
    to.incoming.push(whole)
    return to
  }

  /** @returns the last of the blocks */
  #body(block: Block, first: MutableBlock): MutableBlock {
    let at = first
    for (const node of block.nodes()) {
      if (node.kind === 'prim::If') at = this.#condition(node, at)
      else if (node.kind === 'prim::Loop') at = this.#loop(node, at)
      else at = this.#straight(node, at)
    }
    at.end = block.returnNode
    return at
  }

  #straight(node: Node, at: MutableBlock): MutableBlock {
    at.nodes.push(node)
    if (node.kind === 'prim::RaiseException') {
      at.end = node.next
      return this.#open(node.owningBlock)
    }
    if (node.blocks.length === 0 && !this.#options.isObserver(node)) return at
    at.end = node.next
    return this.#connect(at, this.#open(node.owningBlock), { place: 'start of to', isOneWay: true })
  }

  #condition(node: Node, before: MutableBlock): MutableBlock {
    before.end = node
    const ends = node.blocks.map((block) => {
      const first = this.#connect(before, this.#open(block), { place: 'start of to' })
      return this.#body(block, first)
    })
    const behind = this.#open(node.owningBlock, node)
    for (const [i, end] of ends.entries())
      this.#connect(end, behind, {
        renamed: zip(node.outputs, node.block(i).outputs),
        place: 'end of from',
      })
    return behind
  }

  /** The test in front of each turn is a block of its own, unless the first turn is certain. */
  #loop(node: Node, before: MutableBlock): MutableBlock {
    const body = node.block()
    const carried = body.inputs.slice(loopBodyOffset)
    const [counter] = body.inputs
    const started = zip(carried, node.inputs.slice(loopInputOffset), counter)
    const turned = zip(carried, body.outputs.slice(loopBodyOffset), counter)
    const isCertain = runsOnce(node)
    before.end = node
    const head = this.#open(body, node)
    this.#connect(before, head, { renamed: started, place: 'end of from' })
    const first = isCertain ? head : this.#connect(head, this.#open(body), { place: 'start of to' })
    const last = this.#body(body, first)
    this.#connect(last, head, { renamed: turned, place: isCertain ? undefined : 'end of from' })
    return this.#connect(isCertain ? last : head, this.#open(node.owningBlock), {
      leaves: node,
      renamed: zip(node.outputs, isCertain ? body.outputs.slice(loopBodyOffset) : carried),
      place: 'start of to',
    })
  }
}

/** Whether the loop is known to have a first turn. */
function runsOnce(loop: Node): boolean {
  const trips = constantOf(loop.input(0))
  const isCounted = (typeof trips === 'number' || typeof trips === 'bigint') && trips >= 1
  return isCounted && constantBool(loop.input(1)) === true
}

function zip(
  names: readonly Value[],
  values: readonly Value[],
  unnamed?: Value,
): ReadonlyMap<Value, Value | undefined> {
  const pairs = names.map((name, i): [Value, Value | undefined] => [name, values[i]])
  return new Map(unnamed === undefined ? pairs : [...pairs, [unnamed, undefined]])
}
