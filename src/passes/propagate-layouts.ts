import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import { layoutOfReorder, reorderKind } from '../ir/layout-attribute.ts'
import type { BlockedLayout } from '../tensor/layout.ts'
import type { LayoutTarget } from './layout-target.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { Aliases } from './support/aliases.ts'
import { blockedTarget } from './support/blocked-target.ts'
import { cancelReorders } from './support/cancel-reorders.ts'
import { createContext } from './support/context.ts'
import { chooseLayouts, presentForm, type LayoutChoice } from './support/layout-choice.ts'
import { layoutRegion, type Form, type LayoutRegion, type LayoutTensor } from './support/layout-region.ts'
import { insertReorder, knownLayout, typeInLayout } from './support/reorders.ts'

/**
 * Lets tensors stay in a blocked layout from where it is asked for to where it must end (docs/layouts.md):
 *
 * 1. A reorder of a reorder is one reorder, or none if the tensor is back where it was.
 * 2. Operators that the target computes on blocked tensors as well (relu, add, pooling, concatenation of whole blocks)
 *    are computed so where that leaves fewer reorders: those behind packed operands sink below them, operands that are
 *    row-major are lifted, and each tensor is reordered once, in front of the first that wants it so. What is chosen is
 *    the best for the whole block, a minimal cut (Ford and Fulkerson 1956).
 * 3. With as many reorders, smaller tensors are reordered; then what follows a packed tensor stays packed.
 * 4. A tensor that anything writes, or whose copy could be told from it, is left alone, and so are tensors whose shape is
 *    not known. Blocks are seen one by one: nothing is moved into or out of a branch or a loop.
 *
 * No run executes more reorders than before. Results stay the same, to the bit.
 */
export function propagateLayouts(
  graph: Graph,
  target: LayoutTarget,
  cx: PassContext = createContext(),
): void {
  cancelReorders(graph, cx)
  for (const layout of activationLayouts(graph)) new Propagation(graph, layout, target, cx).visit(graph.block)
  cancelReorders(graph, cx)
}

/** The pass for a target. */
export function propagateLayoutsFor(target: LayoutTarget): Pass {
  return definePass({
    name: 'propagate-layouts',
    summary:
      'Keeps tensors in blocked layouts through operators that do not mind, so that few reorders are left.',
    run: (graph, cx) => propagateLayouts(graph, target, cx),
  })
}

export const propagateLayoutsPass = propagateLayoutsFor(blockedTarget())

/** The layouts that row-major tensors are brought back from. */
function activationLayouts(graph: Graph): BlockedLayout[] {
  const layouts: BlockedLayout[] = []
  for (const node of graph.nodes(reorderKind)) {
    const layout = knownLayout(node.input())
    if (layout?.kind !== 'blocked' || layoutOfReorder(node)?.equals(layout.plain) !== true) continue
    if (!layouts.some((known) => known.equals(layout))) layouts.push(layout)
  }
  return layouts
}

class Propagation {
  readonly #graph: Graph
  readonly #layout: BlockedLayout
  readonly #target: LayoutTarget
  readonly #cx: PassContext
  #aliases: Aliases

  constructor(graph: Graph, layout: BlockedLayout, target: LayoutTarget, cx: PassContext) {
    this.#graph = graph
    this.#layout = layout
    this.#target = target
    this.#cx = cx
    this.#aliases = new Aliases(graph, cx)
  }

  visit(block: Block): void {
    const region = layoutRegion(block, this.#layout, this.#target, this.#aliases, this.#cx)
    const choice = chooseLayouts(region)
    if (choice.isBetter && rewrite(region, choice, this.#cx))
      this.#aliases = new Aliases(this.#graph, this.#cx)
    for (const node of block.nodes()) for (const inner of node.blocks) this.visit(inner)
  }
}

/** A tensor's forms as they shall be: the users of each, and in front of which node its copy is made. */
interface TensorPlan {
  readonly tensor: LayoutTensor
  readonly form: Form
  readonly first: Node | undefined
}

function planFor(tensor: LayoutTensor, block: Block, choice: LayoutChoice): TensorPlan {
  const form = choice.formOf(tensor.producer)
  const others = tensor.users.filter((user) => choice.formFor(user, form) !== form)
  const places = others.map(({ use }) => within(use.user, block))
  const first = places.reduce<Node | undefined>(
    (earliest, place) => (earliest === undefined || place.isBefore(earliest) ? place : earliest),
    undefined,
  )
  return { tensor, form, first }
}

/** The node of the block that the node is, or is nested in. */
function within(node: Node, block: Block): Node {
  let at = node
  while (at.owningBlock !== block && at.owningBlock.owningNode !== undefined) at = at.owningBlock.owningNode
  return at
}

function rewrite(region: LayoutRegion, choice: LayoutChoice, cx: PassContext): boolean {
  const plans = region.tensors.map((tensor) => planFor(tensor, region.block, choice))
  const before = region.tensors.reduce((count, { copies }) => count + copies.length, 0)
  const after = plans.filter(({ first }) => first !== undefined).length
  const [at] = [...region.tensors.flatMap(({ copies }) => copies), ...region.carriers.map(({ node }) => node)]
  if (at === undefined) return false
  return cx.rewrite(at, `${after} reorders in place of ${before}, for ${region.layout.tag}`, (edit) => {
    for (const carrier of region.carriers)
      if (choice.formOf(carrier) !== presentForm(carrier))
        setForm(edit, carrier.node.output(), choice.formOf(carrier), region.layout)
    for (const plan of plans) applyPlan(edit, plan, region.layout, choice)
  })
}

function layoutOfForm(form: Form, layout: BlockedLayout): BlockedLayout {
  return form === 'packed' ? layout : layout.plain
}

function setForm(edit: GraphEditor, value: Value, form: Form, layout: BlockedLayout): void {
  edit.setType(value, typeInLayout(value.type, layoutOfForm(form, layout)))
}

function applyPlan(edit: GraphEditor, plan: TensorPlan, layout: BlockedLayout, choice: LayoutChoice): void {
  const { tensor, form, first } = plan
  const copy = first && copyFor(edit, plan, first, layout)
  for (const user of tensor.users) {
    const value = choice.formFor(user, form) === form ? tensor.root : copy
    if (value) edit.replaceInput(user.use.user, user.use.offset, value)
  }
  for (const node of [...tensor.copies].reverse()) if (node.output() !== copy) edit.destroy(node)
}

/** A reorder of the root in front of `first`: one that is there already, else a new one. */
function copyFor(edit: GraphEditor, { tensor, form }: TensorPlan, first: Node, layout: BlockedLayout): Value {
  const wanted = layoutOfForm(form === 'packed' ? 'plain' : 'packed', layout)
  const existing = tensor.copies.find((node) => layoutOfReorder(node)?.equals(wanted))
  if (existing === undefined)
    return edit.at(first, () =>
      insertReorder(edit, tensor.root, wanted, typeInLayout(tensor.root.type, wanted), first.range),
    )
  edit.replaceInput(existing, 0, tensor.root)
  edit.moveBefore(existing, first)
  return existing.output()
}
