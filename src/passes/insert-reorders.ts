import type { Graph, Node, Value } from '../ir/graph.ts'
import { TensorT } from '../ir/types.ts'
import type { BlockedLayout, Layout } from '../tensor/layout.ts'
import { blockedTarget } from './support/blocked-target.ts'
import { createContext } from './support/context.ts'
import { sharesMemory } from './support/layout-region.ts'
import { insertReorder, knownLayout, knownSizes, typeInLayout } from './support/reorders.ts'
import type { LayoutPreference, LayoutTarget } from './layout-target.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'

/**
 * Puts the reorders into the graph that a backend with layouts of its own would otherwise do in secret, at every call
 * (docs/layouts.md):
 *
 * 1. In front of a node, each input that the target prefers in another layout is reordered to it:
 *    `%w.packed : Tensor = layout::reorder[to="OIhw16i16o"](%w)`.
 * 2. An output that then comes in a layout is reordered back, and everybody else uses the row-major copy.
 * 3. Types tell the layouts where the graph is specialised to shapes; without shapes a packed tensor is just a `Tensor`.
 * 4. A node that writes an operand, or gives one back, is left alone.
 *
 * Results stay the same, to the bit.
 */
export function insertReorders(graph: Graph, target: LayoutTarget, cx: PassContext = createContext()): void {
  for (const node of [...graph.nodes()]) {
    const preference = target.prefer(node)
    if (preference === undefined) continue
    const changes = changesFor(node, preference)
    if (changes.inputs.size === 0 && changes.outputs.size === 0) continue
    if (sharesMemory(node, cx)) cx.miss(node, `it writes or gives back an operand`)
    else apply(node, changes, target, cx)
  }
}

/** The pass for a target. */
export function insertReordersFor(target: LayoutTarget): Pass {
  return definePass({
    name: 'insert-reorders',
    summary: 'Shows the reorders that a backend with blocked layouts would do, as nodes.',
    run: (graph, cx) => insertReorders(graph, target, cx),
  })
}

export const insertReordersPass = insertReordersFor(blockedTarget())

interface Changes {
  readonly inputs: ReadonlyMap<number, Layout>
  readonly outputs: ReadonlyMap<number, BlockedLayout>
}

function changesFor(node: Node, { inputs, outputs }: LayoutPreference): Changes {
  const readable = outputs.map((layout) => (layout?.kind === 'blocked' ? layout : undefined))
  return { inputs: differing(node.inputs, inputs), outputs: differing(node.outputs, readable) }
}

function differing<L extends Layout>(
  values: readonly Value[],
  layouts: readonly (L | undefined)[],
): Map<number, L> {
  const found = new Map<number, L>()
  layouts.forEach((layout, i) => {
    const value = values[i]
    if (layout && value && knownLayout(value)?.equals(layout) !== true) found.set(i, layout)
  })
  return found
}

function apply(node: Node, { inputs, outputs }: Changes, target: LayoutTarget, cx: PassContext): void {
  const layouts = [...inputs.values(), ...outputs.values()].map((layout) => layout.tag)
  const isTyped = node.outputs.every(({ type }) => knownSizes(type) !== undefined)
  cx.rewrite(node, `${target.name} prefers ${layouts.join(', ')}`, (edit) => {
    for (const [i, layout] of inputs) {
      const type = typeInLayout(isTyped ? node.input(i).type : TensorT, layout)
      edit.replaceInput(node, i, insertReorder(edit, node.input(i), layout, type, node.range))
    }
    for (const [i, layout] of outputs) {
      const output = node.output(i)
      const { plain } = layout
      const type = typeInLayout(output.type, plain)
      const back = edit.at(node.next, () => insertReorder(edit, output, plain, type, node.range))
      edit.replaceAllUses(output, back)
      edit.replaceInput(back.node, 0, output)
      edit.setType(output, typeInLayout(output.type, layout))
    }
  })
}
