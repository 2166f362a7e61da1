import type { Block, Graph, Node, Value } from '../../ir/graph.ts'
import { ScriptObject, type IValue } from '../../ir/ivalue.ts'
import { subgraphOf } from './control-flow.ts'

/** One attribute of one object. */
export interface Slot {
  readonly object: ScriptObject
  readonly name: string
  /** From the root, `layer1.0.conv1.weight`. */
  readonly path: string
}

export interface SlotAccess {
  readonly node: Node
  readonly slot: Slot
}

/** What a graph does with the attributes of the module that is its first input. */
export interface SlotAccesses {
  readonly reads: readonly SlotAccess[]
  readonly writes: readonly SlotAccess[]
  /** `prim::GetAttr` and `prim::SetAttr` on objects that are known only at run time. */
  readonly unknown: readonly Node[]
  /** The object behind a value, where it is always the same. */
  readonly objects: ReadonlyMap<Value, ScriptObject>
}

/**
 * Follows every `prim::GetAttr` from the graph's `self` to the object it reads, into nested blocks and forked
 * subgraphs. An attribute that is assigned anywhere in the graph leads to no known object.
 */
export function findSlotAccesses(graph: Graph, root: ScriptObject): SlotAccesses {
  const assigned = new Set(
    [...everyNode(graph)].filter((node) => node.kind === 'prim::SetAttr').map(attributeName),
  )
  const reads: SlotAccess[] = []
  const writes: SlotAccess[] = []
  const unknown: Node[] = []
  const objects = new Map<Value, ScriptObject>()
  const paths = new Map<ScriptObject, string>([[root, '']])
  const self = graph.inputs[0]
  if (self) objects.set(self, root)
  for (const node of everyNode(graph)) {
    if (node.kind === 'prim::fork') bindForkInputs(node, objects)
    if (node.kind !== 'prim::GetAttr' && node.kind !== 'prim::SetAttr') continue
    const object = objects.get(node.input())
    const name = attributeName(node)
    if (object === undefined || !object.slots.has(name)) {
      unknown.push(node)
      continue
    }
    const slot = { object, name, path: joinPath(paths.get(object), name) }
    ;(node.kind === 'prim::GetAttr' ? reads : writes).push({ node, slot })
    const content = object.slots.get(name)
    if (node.kind !== 'prim::GetAttr' || !isModule(content) || assigned.has(name)) continue
    objects.set(node.output(), content)
    if (!paths.has(content)) paths.set(content, slot.path)
  }
  return { reads, writes, unknown, objects }
}

export function attributeName(node: Node): string {
  return node.stringAttribute('name')
}

function joinPath(prefix: string | undefined, name: string): string {
  return prefix === undefined || prefix === '' ? name : `${prefix}.${name}`
}

/** The inputs of a forked subgraph are the inputs of the fork. */
function bindForkInputs(node: Node, objects: Map<Value, ScriptObject>): void {
  subgraphOf(node)?.inputs.forEach((input, i) => {
    const object = objects.get(node.input(i))
    if (object) objects.set(input, object)
  })
}

/** Every node, those of nested blocks and forked subgraphs behind the node that holds them. */
export function* everyNode(graph: Graph): Generator<Node, void, undefined> {
  yield* nodesIn(graph.block)
}

function* nodesIn(block: Block): Generator<Node, void, undefined> {
  for (const node of block.nodes()) {
    yield node
    for (const inner of node.blocks) yield* nodesIn(inner)
    const subgraph = subgraphOf(node)
    if (subgraph) yield* nodesIn(subgraph.block)
  }
}

/** Every attribute below the object, each object once, in order of declaration. */
export function listSlots(root: ScriptObject): Slot[] {
  const slots: Slot[] = []
  const seen = new Set<ScriptObject>([root])
  const visit = (object: ScriptObject, prefix: string): void => {
    for (const [name, content] of object.slots) {
      const path = joinPath(prefix, name)
      slots.push({ object, name, path })
      if (!isModule(content) || seen.has(content)) continue
      seen.add(content)
      visit(content, path)
    }
  }
  visit(root, '')
  return slots
}

export function isModule(value: IValue | undefined): value is ScriptObject {
  return value instanceof ScriptObject && value.type.isModule
}
