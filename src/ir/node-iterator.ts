import type { Block, Node } from './graph.ts'

const noBlocks: readonly Block[] = []

type Nodes = IterableIterator<Node, undefined>

/** Classes instead of generators, one result for all steps: graphs are walked so often that it shows when freezing. */
abstract class NodeIterator implements Nodes {
  readonly #result: { done: boolean; value: Node | undefined } = { done: false, value: undefined }

  next(): IteratorResult<Node, undefined> {
    const node = this.advance()
    this.#result.value = node
    this.#result.done = node === undefined
    return this.#result as IteratorResult<Node, undefined>
  }

  [Symbol.iterator](): Nodes {
    return this
  }

  abstract advance(): Node | undefined
}

/**
 * The nodes of a block in order, or from last to first. The node that was given out may be destroyed or moved and nodes
 * may be inserted anywhere while it runs: the successor is read before the node is given out, so nodes inserted right
 * behind the current one are not visited.
 */
export class BlockNodes extends NodeIterator {
  readonly #end: Node
  readonly #towards: 'next' | 'prev'
  #current: Node | undefined
  #successor: Node | undefined

  constructor(block: Block, towards: 'next' | 'prev') {
    super()
    this.#end = block.returnNode
    this.#towards = towards
  }

  override advance(): Node | undefined {
    const node = this.#following()
    this.#current = node
    if (node === this.#end) return undefined
    this.#successor = node[this.#towards]
    return node
  }

  #following(): Node {
    if (this.#current === this.#end) return this.#end
    if (this.#current === undefined) return this.#end[this.#towards]
    if (this.#successor?.isDestroyed === false) return this.#successor
    // The successor itself is gone by now: go on behind what is still in the list.
    return this.#current.isDestroyed ? this.#end : this.#current[this.#towards]
  }
}

/** As `BlockNodes`, those of nested blocks behind the node that holds them. */
export class NestedNodes extends NodeIterator {
  readonly #blocksOf: (node: Node) => readonly Block[]
  readonly #kind: string | undefined
  readonly #open: BlockNodes[]
  #entered: readonly Block[] = noBlocks

  /**
   * @param blocksOf what to walk behind the node
   * @param kind gives out nodes of that kind only
   */
  constructor(block: Block, blocksOf: (node: Node) => readonly Block[], kind?: string) {
    super()
    this.#blocksOf = blocksOf
    this.#kind = kind
    this.#open = [new BlockNodes(block, 'next')]
  }

  override advance(): Node | undefined {
    for (;;) {
      for (let i = this.#entered.length - 1; i >= 0; i--)
        this.#open.push(new BlockNodes(this.#entered[i] as Block, 'next'))
      this.#entered = noBlocks
      const node = this.#open.at(-1)?.advance()
      if (node === undefined) {
        this.#open.pop()
        if (this.#open.length === 0) return undefined
        continue
      }
      const blocks = this.#blocksOf(node)
      if (blocks.length > 0) this.#entered = [...blocks]
      if (this.#kind === undefined || node.kind === this.#kind) return node
    }
  }
}
