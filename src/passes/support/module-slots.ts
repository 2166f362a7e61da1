import type { Graph, Node, Value } from '../../ir/graph.ts'
import { ScriptObject, type IValue } from '../../ir/ivalue.ts'
import { NestedNodes } from '../../ir/node-iterator.ts'
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

export interface FollowOptions {
  /** Names of attributes to which other graphs assign modules: what is behind them is known only at run time. */
  readonly assigned?: ReadonlySet<string>
  /** Of the object that is `self`, where it is no root. */
  readonly path?: string
}

/**
 * Follows every `prim::GetAttr` from the graph's `self` to the object it reads, into nested blocks and forked
 * subgraphs. An attribute that is assigned anywhere leads to no known object.
 */
export function findSlotAccesses(
  graph: Graph,
  self: ScriptObject,
  options: FollowOptions = {},
): SlotAccesses {
  const assigned = assignedModules(graph, options.assigned)
  const reads: SlotAccess[] = []
  const writes: SlotAccess[] = []
  const unknown: Node[] = []
  const objects = new Map<Value, ScriptObject>()
  const paths = new Map<ScriptObject, string>([[self, options.path ?? '']])
  const [input] = graph.inputs
  if (input) objects.set(input, self)
  for (const node of everyNode(graph)) {
    if (node.kind === 'prim::fork') bindForkInputs(node, objects)
    if (node.kind === 'prim::unchecked_cast') bind(node.output(), objects.get(node.input()), objects)
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
    bind(node.output(), content, objects)
    if (!paths.has(content)) paths.set(content, slot.path)
  }
  return { reads, writes, unknown, objects }
}

function bind(value: Value, object: ScriptObject | undefined, objects: Map<Value, ScriptObject>): void {
  if (object) objects.set(value, object)
}

/** Names of the attributes to which the graph may assign a module, and the given ones. */
export function assignedModules(graph: Graph, others: Iterable<string> = []): Set<string> {
  const names = new Set(others)
  for (const node of everyNode(graph))
    if (node.kind === 'prim::SetAttr' && objectKinds.has(node.input(1).type.kind))
      names.add(attributeName(node))
  return names
}

const objectKinds: ReadonlySet<string> = new Set([
  'Class',
  'Interface',
  'Optional',
  'Union',
  'Any',
  'AnyClass',
])

export function attributeName(node: Node): string {
  return node.stringAttribute('name')
}

export function joinPath(prefix: string | undefined, name: string): string {
  return prefix === undefined || prefix === '' ? name : `${prefix}.${name}`
}

/** The inputs of a forked subgraph are the inputs of the fork. */
function bindForkInputs(node: Node, objects: Map<Value, ScriptObject>): void {
  subgraphOf(node)?.inputs.forEach((input, i) => {
    bind(input, objects.get(node.input(i)), objects)
  })
}

/** Every node, those of nested blocks and forked subgraphs behind the node that holds them. */
export function everyNode(graph: Graph): IterableIterator<Node, undefined> {
  return new NestedNodes(graph.block, (node) => {
    const subgraph = subgraphOf(node)
    return subgraph ? [...node.blocks, subgraph.block] : node.blocks
  })
}

/** Every attribute below the object, each object once, in order of declaration; `path` is that of the object. */
export function listSlots(root: ScriptObject, path = ''): Slot[] {
  const slots: Slot[] = []
  const seen = new Set<ScriptObject>([root])
  const visit = (object: ScriptObject, prefix: string): void => {
    for (const [name, content] of object.slots) {
      const slot = { object, name, path: joinPath(prefix, name) }
      slots.push(slot)
      if (!isModule(content) || seen.has(content)) continue
      seen.add(content)
      visit(content, slot.path)
    }
  }
  visit(root, path)
  return slots
}

export function isModule(value: IValue | undefined): value is ScriptObject {
  return value instanceof ScriptObject && value.type.isModule
}
