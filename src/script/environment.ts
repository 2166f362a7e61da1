import type { Block, Value } from '../ir/graph.ts'
import type { Type } from '../ir/types.ts'
import type { Sugared } from './sugared-value.ts'

/** A variable's content, and the type it was declared with (the content's own where it was not). */
export interface Binding {
  readonly sugared: Sugared
  readonly type: Type | undefined
}

/** The variables assigned in one block, on top of those of the blocks around it. */
export class Environment {
  readonly block: Block
  readonly parent: Environment | undefined
  readonly #bindings = new Map<string, Binding>()

  constructor(block: Block, parent?: Environment) {
    this.block = block
    this.parent = parent
  }

  set(name: string, sugared: Sugared, type: Type | undefined): void {
    this.#bindings.set(name, { sugared, type })
  }

  delete(name: string): boolean {
    return this.#bindings.delete(name) || (this.parent?.delete(name) ?? false)
  }

  get(name: string): Binding | undefined {
    return this.#bindings.get(name) ?? this.parent?.get(name)
  }

  /** The value of a variable that holds one. */
  value(name: string): Value | undefined {
    const sugared = this.get(name)?.sugared
    return sugared?.kind === 'value' ? sugared.value : undefined
  }

  /** Assigned in this block itself; sorted, so that outputs come in a fixed order. */
  get ownNames(): string[] {
    return [...this.#bindings.keys()].sort()
  }
}
