import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Graph, Node, Value } from '../../ir/graph.ts'
import { layoutOfReorder, reorderKind } from '../../ir/layout-attribute.ts'
import { stridesOf, type BlockedLayout } from '../../tensor/layout.ts'
import { contiguousStrides } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import { Aliases } from './aliases.ts'
import { knownLayout, knownSizes } from './reorders.ts'

/**
 * Makes one reorder of two that follow each other, also where the second is in a nested block, and none of one to where
 * the tensor lies already; unless anything writes the tensors, or somebody could tell the copy from the original.
 */
export function cancelReorders(graph: Graph, cx: PassContext): void {
  const canceller = new Canceller(new Aliases(graph, cx), cx)
  for (const node of [...graph.nodes(reorderKind)]) canceller.visit(node)
}

class Canceller {
  readonly #aliases: Aliases
  readonly #cx: PassContext
  /** What each value has taken the place of: of the analysis they are values of their own. */
  readonly #merged = new Map<Value, Value[]>()

  constructor(aliases: Aliases, cx: PassContext) {
    this.#aliases = aliases
    this.#cx = cx
  }

  visit(node: Node): void {
    const layout = layoutOfReorder(node)
    if (layout === undefined || this.#aliases.hasWriters(node)) return
    const origin = originOf(node, this.#aliases)
    if (liesAs(origin, layout)) this.#merge(node, origin)
    else if (origin !== node.input()) this.#skip(node, origin)
  }

  #merge(node: Node, origin: Value): void {
    const output = node.output()
    const merged = this.#merged.get(origin) ?? []
    if (![origin, ...merged].every((other) => this.#aliases.safeToChangeAliasing([output], [other]))) {
      this.#cx.miss(node, `somebody could tell it from %${origin.debugName}`)
      return
    }
    this.#merged.set(origin, [...merged, output])
    this.#cx.rewrite(node, `is %${origin.debugName}`, (edit) => {
      const passed = node.input()
      edit.replaceAllUses(output, origin)
      edit.destroy(node)
      destroyUnused(edit, passed, origin)
    })
  }

  #skip(node: Node, origin: Value): void {
    this.#cx.rewrite(node, `reorders %${origin.debugName}`, (edit) => {
      const passed = node.input()
      edit.replaceInput(node, 0, origin)
      destroyUnused(edit, passed, origin)
    })
  }
}

/** What the reorders in front of the node began with. */
function originOf(node: Node, aliases: Aliases): Value {
  let value = node.input()
  while (value.node.kind === reorderKind && isOurs(value.node) && !aliases.hasWriters(value.node))
    value = value.node.input()
  return value
}

/** A backend's own layouts are left to it. */
function isOurs(node: Node): boolean {
  return layoutOfReorder(node) !== undefined && knownLayout(node.input())?.kind !== 'opaque'
}

/** Whether the value is known to lie so; strides that are not known are taken for row-major, as a node's preference is. */
function liesAs(value: Value, layout: BlockedLayout): boolean {
  const known = knownLayout(value)
  if (known !== undefined) return known.equals(layout)
  const sizes = knownSizes(value.type)
  if (value.type.kind !== 'Tensor' || sizes?.length !== layout.rank) return false
  const strides = stridesOf(layout, sizes)
  const actual = value.type.strides ?? contiguousStrides(sizes)
  return strides?.every((stride, axis) => sizes[axis] === 1 || stride === actual[axis]) === true
}

function destroyUnused(edit: GraphEditor, from: Value, origin: Value): void {
  for (let value = from; value !== origin && value.uses.length === 0;) {
    const { node } = value
    value = node.input()
    edit.destroy(node)
  }
}
