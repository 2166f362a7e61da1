import type { AliasDatabase } from '../../ir/alias-database.ts'
import type { Node, Value } from '../../ir/graph.ts'
import type { Expression } from './expression-webs.ts'
import type { FlowBlock } from './structured-flow.ts'

/** What concerns an expression in one block, from first to last. */
export interface ExpressionEvent {
  readonly position: number
  /**
   * `changes`: an operand is given or written. `computes`: a node has the result. `knows`: a value has it from here on.
   */
  readonly kind: 'changes' | 'computes' | 'knows'
  readonly node?: Node
}

export type EventsByBlock = ReadonlyMap<FlowBlock, readonly ExpressionEvent[]>

interface NodePlace {
  readonly block: FlowBlock
  readonly position: number
}

/** Finds, for each expression, where its operands change and where it is computed. */
export class EventFinder {
  readonly #aliases: AliasDatabase
  readonly #entry: FlowBlock
  readonly #places = new Map<Node, NodePlace>()
  /** Where merged values are there. */
  readonly #merges = new Map<Value, NodePlace>()
  readonly #events = new Map<Expression, EventsByBlock>()
  readonly #changes = new Map<Value, readonly NodePlace[]>()

  constructor(flow: readonly FlowBlock[], aliases: AliasDatabase) {
    this.#aliases = aliases
    this.#entry = flow[0] as FlowBlock
    for (const block of flow) {
      for (const [position, node] of block.nodes.entries()) this.#places.set(node, { block, position })
      for (const { renamed } of block.incoming)
        for (const value of renamed.keys()) this.#merges.set(value, { block, position: -1 })
    }
  }

  events(expression: Expression): EventsByBlock {
    let events = this.#events.get(expression)
    if (events === undefined) this.#events.set(expression, (events = this.#find(expression)))
    return events
  }

  #find(expression: Expression): EventsByBlock {
    const found = new Map<FlowBlock, ExpressionEvent[]>()
    const add = ({ block, position }: NodePlace, event: Omit<ExpressionEvent, 'position'>): void => {
      const events = found.get(block)
      if (events) events.push({ position, ...event })
      else found.set(block, [{ position, ...event }])
    }
    for (const operand of expression.operands)
      for (const place of this.#changesOf(operand)) add(place, { kind: 'changes' })
    const [operand] = expression.operands
    if (expression.known && operand) add(this.#definition(operand), { kind: 'knows' })
    for (const node of expression.nodes) {
      const place = this.#places.get(node)
      if (place) add(place, { kind: 'computes', node })
    }
    for (const events of found.values()) events.sort((a, b) => a.position - b.position)
    return found
  }

  #changesOf(value: Value): readonly NodePlace[] {
    let changes = this.#changes.get(value)
    if (changes === undefined) {
      const nodes = [value.node, ...this.#aliases.writers(value)]
      changes = nodes.flatMap((node) => this.#place(node) ?? [])
      this.#changes.set(value, changes)
    }
    return changes
  }

  /** Of the node, or the one around it that the flow knows. */
  #place(node: Node): NodePlace | undefined {
    for (let at: Node | undefined = node; at; at = at.owningBlock.owningNode) {
      const place = this.#places.get(at)
      if (place) return place
    }
    return undefined
  }

  /** Where the value is there: behind its node, where ways merge, or from the beginning. */
  #definition(value: Value): NodePlace {
    return this.#places.get(value.node) ?? this.#merges.get(value) ?? { block: this.#entry, position: -1 }
  }
}
