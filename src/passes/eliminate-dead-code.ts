import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { eraseIfOutput, eraseLoopOutput, loopBodyOffset, subgraphOf } from './support/control-flow.ts'
import { hasSideEffects, isMutation } from './support/effects.ts'

/**
 * Removes nodes that nobody needs, after torch/csrc/jit/passes/dead_code_elimination.cpp:
 *
 * 1. Live are: the graph's return node; nodes with side effects; nodes that write memory from outside the graph;
 *    nodes that compute a live value; nodes that write memory that a live value may share.
 * 2. An input of a live node is live; the nodes around a live node are live.
 * 3. A block's output is live only where the value outside (or the next iteration) is.
 * 4. A loop is marked again until nothing new becomes live.
 * 5. Unused outputs of `prim::If` and unused carried values of `prim::Loop` go, then everything unmarked, last first.
 * 6. Unused inputs of a `prim::fork` go with the inputs of its subgraph.
 *
 * @param options.aliases false for a cheaper look that keeps everything that writes memory
 * @returns whether anything was removed
 */
export function eliminateDeadCode(graph: Graph, cx: PassContext, options = { aliases: true }): boolean {
  removeDeadForkInputs(graph, cx)
  const liveness = new Liveness(graph, cx, options.aliases ? new Aliases(graph, cx) : undefined)
  return sweep(graph.block, liveness, cx)
}

export const eliminateDeadCodePass = definePass({
  name: 'eliminate-dead-code',
  summary: 'Removes nodes whose outputs nobody uses and that write nothing anybody sees.',
  run: (graph, cx) => void eliminateDeadCode(graph, cx),
})

class Liveness {
  readonly #nodes = new Set<Node>()
  readonly #values = new Set<Value>()
  readonly #effects = new Map<Node, boolean>()
  readonly #aliases: Aliases | undefined
  readonly #cx: PassContext

  constructor(graph: Graph, cx: PassContext, aliases: Aliases | undefined) {
    this.#cx = cx
    this.#aliases = aliases
    this.#mark(graph.block.returnNode)
    this.#markBlock(graph.block)
  }

  has(node: Node): boolean {
    return this.#nodes.has(node)
  }

  /** Marks the node, the nodes around it and their inputs; false if it was marked before. */
  #mark(node: Node): boolean {
    if (this.#nodes.has(node)) return false
    for (
      let at: Node | undefined = node;
      at !== undefined && !this.#nodes.has(at);
      at = at.owningBlock.owningNode
    ) {
      this.#nodes.add(at)
      for (const input of at.inputs) this.#values.add(input)
    }
    return true
  }

  #markBlock(block: Block): boolean {
    let marked = false
    for (const node of block.nodes()) if (this.#hasEffects(node)) marked = this.#mark(node) || marked
    marked = this.#markReturn(block) || marked
    for (const node of block.nodesReversed()) {
      if (node.kind === 'prim::Loop') marked = this.#markLoop(node) || marked
      else for (const inner of node.blocks) marked = this.#markBlock(inner) || marked
      marked = this.#markIfLive(node) || marked
    }
    return marked
  }

  #markLoop(node: Node): boolean {
    let anything = false
    while (this.#markBlock(node.block())) anything = true
    return anything
  }

  #markReturn({ returnNode }: Block): boolean {
    const outer = returnNode.owningBlock.owningNode
    if (outer === undefined) return this.#mark(returnNode)
    const before = this.#values.size
    if (outer.kind === 'prim::Loop') this.#markLoopReturn(outer)
    else
      returnNode.inputs.forEach((inner, i) => {
        const output = outer.outputs[i]
        if (output === undefined || this.#values.has(output)) this.#values.add(inner)
      })
    this.#nodes.add(returnNode)
    return this.#values.size > before
  }

  #markLoopReturn(loop: Node): void {
    const body = loop.block()
    loop.outputs.forEach((output, i) => {
      const inside = body.paramNode.output(loopBodyOffset + i)
      if (this.#values.has(output) || inside.uses.length > 0)
        this.#values.add(body.returnNode.input(loopBodyOffset + i))
    })
    this.#values.add(body.returnNode.input())
  }

  #markIfLive(node: Node): boolean {
    if (this.#nodes.has(node)) return false
    const live = node.outputs.some((output) => this.#values.has(output))
    return (live || this.#aliases?.writesAnyOf(node, this.#values) === true) && this.#mark(node)
  }

  #hasEffects(node: Node): boolean {
    const known = this.#effects.get(node)
    if (known !== undefined) return known
    const effects =
      hasSideEffects(node, this.#cx) ||
      node.blocks.some((block) => [...block.nodes()].some((inner) => this.#hasEffects(inner))) ||
      (this.#aliases ? this.#aliases.writesOutside(node) : isMutation(node, this.#cx))
    this.#effects.set(node, effects)
    return effects
  }
}

function sweep(block: Block, liveness: Liveness, cx: PassContext): boolean {
  let changed = false
  for (const node of block.nodesReversed()) {
    changed = removeDeadOutputs(node, cx) || changed
    for (const inner of node.blocks) changed = sweep(inner, liveness, cx) || changed
    if (!liveness.has(node) && node.outputs.every((output) => output.uses.length === 0))
      changed = cx.rewrite(node, 'nobody needs it', (edit) => edit.destroy(node)) || changed
  }
  return changed
}

/** Unused outputs of control flow, last first. */
function removeDeadOutputs(node: Node, cx: PassContext): boolean {
  const isLoop = node.kind === 'prim::Loop'
  if (!isLoop && node.kind !== 'prim::If') return false
  let changed = false
  for (let i = node.outputs.length - 1; i >= 0; i--) {
    const output = node.output(i)
    if (output.uses.length > 0) continue
    if (isLoop && node.block().paramNode.output(loopBodyOffset + i).uses.length > 0) continue
    const erase = isLoop ? eraseLoopOutput : eraseIfOutput
    changed = cx.rewrite(node, `%${output.debugName} is not used`, (edit) => erase(edit, node, i)) || changed
  }
  return changed
}

function removeDeadForkInputs(graph: Graph, cx: PassContext): void {
  for (const node of graph.nodes('prim::fork')) {
    const subgraph = subgraphOf(node)
    if (subgraph === undefined) continue
    for (let i = subgraph.inputs.length - 1; i >= 0; i--) {
      if (subgraph.block.paramNode.output(i).uses.length > 0) continue
      cx.rewrite(node, 'the forked code does not use it', (edit) => {
        edit.removeInput(node, i)
        cx.rewrite(subgraph.block.returnNode, 'unused', (inner) => inner.eraseBlockInput(subgraph.block, i))
      })
    }
  }
}
