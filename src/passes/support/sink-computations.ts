import type { AliasDatabase } from '../../ir/alias-database.ts'
import { ancestorIn } from '../../ir/dominance.ts'
import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Block, Graph, Node, Use } from '../../ir/graph.ts'
import type { PassContext } from '../pass.ts'

/**
 * Moves nodes into the branches that use them, so that the other paths do not compute them: the sinking of "Partial Dead
 * Code Elimination" (Knoop, Rüthing and Steffen, PLDI 1994) for values in SSA form.
 *
 * A node moves when all uses of its result are in one `prim::If`, in some of its branches only; into each of these, and
 * on into those within. It stays where its operands may be written between its place and the condition.
 */
export function sinkComputations(
  graph: Graph,
  cx: PassContext,
  { isCandidate, aliases }: { isCandidate: (node: Node) => boolean; aliases: AliasDatabase },
): boolean {
  let changed = false
  for (const node of [...graph.nodes()].filter(isCandidate).reverse())
    changed = new Sinker(cx, aliases).sink(node) || changed
  return changed
}

class Sinker {
  readonly #cx: PassContext
  readonly #aliases: AliasDatabase

  constructor(cx: PassContext, aliases: AliasDatabase) {
    this.#cx = cx
    this.#aliases = aliases
  }

  sink(node: Node): boolean {
    const pending = [node]
    let changed = false
    for (let next = pending.pop(); next; next = pending.pop()) {
      const copies = this.#sinkOnce(next)
      changed ||= copies.length > 0
      pending.push(...copies)
    }
    return changed
  }

  /** @returns the copies in the branches */
  #sinkOnce(node: Node): readonly Node[] {
    const condition = this.#conditionOf(node)
    if (condition === undefined || this.#isWrittenBetween(node, condition)) return []
    const users = condition.blocks.map((block) => usesIn(block, node.output().uses))
    const certain = users.map((uses, i) => uses.some((use) => isCertain(use, condition.block(i))))
    if (certain.every(Boolean)) return []
    const copies: Node[] = []
    const why = `%${node.output().debugName} is needed in a branch only`
    this.#cx.rewrite(node, why, (edit) => {
      for (const [i, uses] of users.entries())
        if (uses.length > 0) copies.push(copyInto(edit, node, condition.block(i), uses))
      edit.destroy(node)
    })
    return copies
  }

  /** The `prim::If` that all uses are in. */
  #conditionOf(node: Node): Node | undefined {
    let condition: Node | undefined
    for (const { user } of node.output().uses) {
      const ancestor = ancestorIn(node.owningBlock, user)
      if (ancestor?.kind !== 'prim::If' || ancestor === user) return undefined
      if (condition !== undefined && condition !== ancestor) return undefined
      condition = ancestor
    }
    return condition
  }

  #isWrittenBetween(node: Node, condition: Node): boolean {
    for (let at = node.next; at !== condition; at = at.next)
      if (this.#aliases.writesToAlias(at, node.inputs)) return true
    return false
  }
}

function usesIn(block: Block, uses: readonly Use[]): readonly Use[] {
  return uses.filter(({ user }) => ancestorIn(block, user) !== undefined)
}

/** Whether the use happens whenever the block is executed. */
function isCertain({ user }: Use, block: Block): boolean {
  return user.owningBlock === block
}

function copyInto(edit: GraphEditor, node: Node, block: Block, uses: readonly Use[]): Node {
  const copy = edit.insertBefore(
    edit.copyNode(node, (value) => value),
    block.returnNode.next,
  )
  for (const { user, offset } of uses) edit.replaceInput(user, offset, copy.output())
  return copy
}
