import { AliasDatabase } from '../../ir/alias-database.ts'
import type { Graph, Node } from '../../ir/graph.ts'
import { Dict, List, ScriptObject, Tuple, type IValue } from '../../ir/ivalue.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassServices } from '../pass.ts'
import { attributeName, type Slot, type SlotAccesses } from './module-slots.ts'

/** Which slots of a module its methods write, and by which node. */
export class SlotWrites {
  readonly #assigned = new Map<ScriptObject, Map<string, Node>>()
  /** Names of attributes written on objects that are known only at run time. */
  readonly #writtenSomewhere = new Map<string, Node>()
  /** Storages, lists and dicts that are written in place. */
  readonly #memory = new Map<object, Node>()

  /**
   * Adds what one method's inlined graph writes: `prim::SetAttr`, and in-place operators on the content of an
   * attribute or on views of it. The statistics that a training batch norm updates do not count.
   */
  add(graph: Graph, accesses: SlotAccesses, services: PassServices): void {
    for (const { node, slot } of accesses.writes) this.#assign(slot, node)
    const aliases = new AliasDatabase(graph, (node) => services.schemaOf(node), { frozen: true })
    for (const node of accesses.unknown) {
      const writer = node.kind === 'prim::SetAttr' ? node : writerOfOutput(node, aliases)
      if (writer) this.#writtenSomewhere.set(attributeName(node), writer)
    }
    for (const { node, slot } of accesses.reads) {
      const writer = writerOfOutput(node, aliases)
      if (writer)
        for (const memory of memoryOf(slot.object.slots.get(slot.name))) this.#memory.set(memory, writer)
    }
  }

  #assign({ object, name }: Slot, node: Node): void {
    const names = this.#assigned.get(object) ?? new Map<string, Node>()
    names.set(name, node)
    this.#assigned.set(object, names)
  }

  /** The node that writes the slot or memory that its content shares. */
  writerOf({ object, name }: Slot): Node | undefined {
    const assigned = this.#assigned.get(object)?.get(name) ?? this.#writtenSomewhere.get(name)
    if (assigned) return assigned
    for (const memory of memoryOf(object.slots.get(name))) {
      const writer = this.#memory.get(memory)
      if (writer) return writer
    }
    return undefined
  }
}

function writerOfOutput(read: Node, aliases: AliasDatabase): Node | undefined {
  return aliases.hasWriters(read.output()) ? aliases.writers(read.output())[0] : undefined
}

/** Everything that can be written in place in a value. */
function memoryOf(value: IValue | undefined, found = new Set<object>()): Set<object> {
  if (value instanceof Tensor) found.add(value.storage)
  else if (value instanceof List || value instanceof Dict || value instanceof ScriptObject) {
    if (found.has(value)) return found
    found.add(value)
  }
  for (const part of partsOf(value)) memoryOf(part, found)
  return found
}

function partsOf(value: IValue | undefined): readonly IValue[] {
  if (value instanceof List || value instanceof Tuple) return value.elements
  if (value instanceof Dict) return [...value.entries()].flat()
  if (value instanceof ScriptObject && !value.type.isModule) return [...value.slots.values()]
  return []
}
