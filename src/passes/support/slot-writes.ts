import type { Node, Value } from '../../ir/graph.ts'
import { Dict, List, ScriptObject, Tuple, type IValue } from '../../ir/ivalue.ts'
import { trainingFlag } from '../../ir/running-statistics.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassServices } from '../pass.ts'
import { GraphWriters } from './graph-writers.ts'
import { accessesOf, type InlinedMethods } from './inline-module.ts'
import { KeptMemory } from './kept-memory.ts'
import { KnownValues } from './known-values.ts'
import { attributeName, isModule, type Slot, type SlotAccesses } from './module-slots.ts'

export interface SlotWritesOptions {
  readonly services: PassServices
  /** What a slot that no method assigns holds in every call; undefined where others may change it. */
  readonly contentOf?: (slot: Slot) => IValue | undefined
}

/**
 * Which slots of a module its methods write, and by which node: by `prim::SetAttr`, by in-place operators on the
 * content of an attribute, on views of it, on parts of it or on other attributes with the same memory, and by norms
 * that may train.
 */
export class SlotWrites {
  readonly #options: SlotWritesOptions
  readonly #assigned = new Map<ScriptObject, Map<string, Node>>()
  /** Names of attributes written on objects that are known only at run time. */
  readonly #writtenSomewhere = new Map<string, Node>()
  /** Storages, lists and dicts that are written in place. */
  readonly #memory = new Map<object, Node>()
  /** What a method keeps in an attribute: whoever writes the content of that attribute later writes this. */
  readonly #kept = new KeptMemory()

  constructor({ methods, assigned }: InlinedMethods, options: SlotWritesOptions) {
    this.#options = options
    const all = methods.map((method) => [method.graph, accessesOf(method, assigned)] as const)
    for (const [, accesses] of all) this.#addAssignments(accesses)
    for (const [graph, accesses] of all) {
      const known = this.#knownValues(accesses)
      const writers = new GraphWriters(graph, options.services, (norm) => mayTrain(norm, known))
      this.#addMemory(accesses, writers)
      this.#addKept(accesses, writers)
    }
    this.#kept.spread(this.#memory)
  }

  #addAssignments({ writes, unknown }: SlotAccesses): void {
    for (const { node, slot } of writes) {
      const names = this.#assigned.get(slot.object) ?? new Map<string, Node>()
      this.#assigned.set(slot.object, names.set(slot.name, node))
    }
    for (const node of unknown)
      if (node.kind === 'prim::SetAttr') this.#writtenSomewhere.set(attributeName(node), node)
  }

  #knownValues({ reads }: SlotAccesses): KnownValues {
    const slots = new Map(reads.map(({ node, slot }) => [node, slot]))
    const { contentOf = contentOfSlot, services } = this.#options
    return new KnownValues((read) => {
      const slot = slots.get(read)
      return slot === undefined || this.#assignmentOf(slot) !== undefined ? undefined : contentOf(slot)
    }, services)
  }

  #addMemory({ reads, unknown }: SlotAccesses, writers: GraphWriters): void {
    for (const node of unknown) {
      const writer = node.kind === 'prim::GetAttr' ? writers.of(node.output()) : undefined
      if (writer) this.#writtenSomewhere.set(attributeName(node), writer)
    }
    for (const { node, slot } of reads) {
      const content = slot.object.slots.get(slot.name)
      const writer = isModule(content) ? undefined : writers.of(node.output())
      if (!writer) continue
      this.#memory.set(this.#kept.placeOf(slot), writer)
      for (const memory of memoryOf(content)) this.#memory.set(memory, writer)
    }
  }

  #addKept({ reads, writes }: SlotAccesses, writers: GraphWriters): void {
    const keep = (value: Value, place: object): void => {
      for (const { node, slot } of reads)
        if (node.output() !== value && !writers.mayShare(node.output(), value)) continue
        else this.#kept.add(place, [this.#kept.placeOf(slot), ...memoryOf(slot.object.slots.get(slot.name))])
    }
    for (const { node, slot } of writes) keep(node.input(1), this.#kept.placeOf(slot))
    for (const { node, slot } of reads)
      if (isContainer(slot.object.slots.get(slot.name)) && writers.of(node.output()))
        keep(node.output(), this.#kept.placeOf(slot))
  }

  #assignmentOf({ object, name }: Slot): Node | undefined {
    return this.#assigned.get(object)?.get(name) ?? this.#writtenSomewhere.get(name)
  }

  /** The node that writes the slot or memory that its content shares. */
  writerOf(slot: Slot): Node | undefined {
    const assigned = this.#assignmentOf(slot)
    if (assigned) return assigned
    for (const memory of memoryOf(slot.object.slots.get(slot.name))) {
      const writer = this.#memory.get(memory)
      if (writer) return writer
    }
    return undefined
  }
}

function isContainer(content: IValue | undefined): boolean {
  return content instanceof List || content instanceof Dict
}

function contentOfSlot({ object, name }: Slot): IValue | undefined {
  return object.slots.get(name)
}

function mayTrain(norm: Node, known: KnownValues): boolean {
  const flag = trainingFlag(norm)
  return flag === undefined || known.mayBeTrue(flag)
}

/** Everything that can be written in place in a value. */
export function memoryOf(value: IValue | undefined, found = new Set<object>()): Set<object> {
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
