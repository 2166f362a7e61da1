import type { Block, Graph, Node, Value } from '../../ir/graph.ts'
import type { PassContext } from '../pass.ts'

/*
 * A container that is constructed in sight and filled before anybody looks at it, as `RemoveListMutation` in
 * torch/csrc/jit/passes/remove_mutation.cpp, which knows `append` only.
 */

const isList = (value: Value | undefined): boolean => value?.type.kind === 'List'

/** What the node adds to its first input, as inputs of the construction; undefined if it does not just add. */
const additions: Readonly<Record<string, (node: Node) => readonly Value[] | undefined>> = {
  'aten::append': ({ inputs }) => (isList(inputs[0]) && inputs.length === 2 ? inputs.slice(1) : undefined),
  'aten::extend': elementsOfOther,
  'aten::add_': elementsOfOther,
  'aten::_set_item': ({ inputs }) =>
    inputs[0]?.type.kind === 'Dict' && inputs.length === 3 ? inputs.slice(1) : undefined,
}

/** The elements of a second list that is constructed for this only. */
function elementsOfOther({ inputs }: Node): readonly Value[] | undefined {
  const [list, other] = inputs
  if (inputs.length !== 2 || !isList(list) || !isList(other) || list === other) return undefined
  return other?.node.kind === 'prim::ListConstruct' && other.uses.length === 1 ? other.node.inputs : undefined
}

/** The node that makes a container with these inputs in it: `[a, b]`, `{k: v}`, `dict()`. */
function isConstruction(node: Node): boolean {
  if (node.kind === 'prim::ListConstruct' || node.kind === 'prim::DictConstruct') return true
  return node.kind === 'aten::dict' && node.inputs.length === 0
}

/** Puts what is added to a container into its construction, while nobody can have seen the container without it. */
export function joinContainers(graph: Graph, cx: PassContext): boolean {
  return joinBlock(graph.block, cx)
}

function joinBlock(block: Block, cx: PassContext): boolean {
  let changed = false
  for (const node of block.nodes()) {
    for (const inner of node.blocks) changed = joinBlock(inner, cx) || changed
    const added = additions[node.kind]?.(node)
    if (added !== undefined && isFirstUse(node)) changed = join(node, added, cx) || changed
  }
  return changed
}

/** Whether the container is made in the same block, so as often as this node runs, and not looked at before. */
function isFirstUse(node: Node): boolean {
  const container = node.input()
  const construction = container.node
  if (!isConstruction(construction) || construction.owningBlock !== node.owningBlock) return false
  return container.uses.every(({ user, offset }) => (user === node ? offset === 0 : node.isBefore(user)))
}

function join(node: Node, added: readonly Value[], cx: PassContext): boolean {
  const container = node.input()
  const construction = container.node
  return cx.rewrite(node, 'nobody has seen the container without it', (edit) => {
    const kind = container.type.kind === 'Dict' ? 'prim::DictConstruct' : 'prim::ListConstruct'
    const joined = edit.insert(kind, [...construction.inputs, ...added], {
      outputs: [container.type],
      range: construction.range,
    })
    for (const output of node.outputs) edit.replaceAllUses(output, joined.output())
    edit.destroy(node)
    edit.replaceAllUses(container, joined.output())
    if (container.hasDebugName) edit.setDebugName(joined.output(), container.debugName)
    edit.destroy(construction)
  })
}
