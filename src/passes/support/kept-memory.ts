import type { Node } from '../../ir/graph.ts'
import type { ScriptObject } from '../../ir/ivalue.ts'
import type { Slot } from './module-slots.ts'

/** Which memory attributes may come to hold when methods run: what is assigned to them, or put into their containers. */
export class KeptMemory {
  readonly #places = new Map<ScriptObject, Map<string, object>>()
  readonly #held = new Map<object, Set<object>>()

  /** Stands for whatever the slot holds at any time. */
  placeOf({ object, name }: Slot): object {
    const places = this.#places.get(object) ?? new Map<string, object>()
    const place = places.get(name) ?? {}
    this.#places.set(object, places.set(name, place))
    return place
  }

  /** The place may come to hold the memory. */
  add(place: object, memory: Iterable<object>): void {
    const held = this.#held.get(place) ?? new Set()
    for (const each of memory) held.add(each)
    this.#held.set(place, held)
  }

  /** Whoever writes to a place writes to all that it may hold. */
  spread(writers: Map<object, Node>): void {
    for (const [place, writer] of writers)
      for (const memory of this.#held.get(place) ?? []) if (!writers.has(memory)) writers.set(memory, writer)
  }
}
