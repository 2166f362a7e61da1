import type { Node } from '../../ir/graph.ts'
import { BitRows } from './bit-rows.ts'
import type { EventFinder, EventsByBlock, ExpressionEvent } from './expression-events.ts'
import type { Expression, ExpressionWeb } from './expression-webs.ts'
import { lazyCodeMotion, rowOf } from './lazy-code-motion.ts'
import type { FlowBlock, FlowEdge } from './structured-flow.ts'

/** Where the result of an expression comes from: a node, the value that is known to hold it, or the ways into the block. */
export type ResultSource = Node | 'known' | 'entry'

/** What becomes of an expression in a block. */
interface BlockPlan {
  readonly replaced: readonly (readonly [node: Node, by: ResultSource])[]
  /** Where the result comes from at the end. */
  readonly last: ResultSource
}

/** What becomes of the expressions of a web. */
export interface WebPlan {
  readonly web: ExpressionWeb
  /** The nodes to take out. */
  readonly replaced: readonly Replacement[]
  /** Expressions behind the edge, to be computed on it. */
  readonly insertions: ReadonlyMap<FlowEdge, readonly Expression[]>
  /** Where the result comes from at the end of the block. */
  lastSource(block: FlowBlock, expression: Expression): ResultSource
}

export interface Replacement {
  readonly node: Node
  readonly by: ResultSource
  readonly block: FlowBlock
  readonly expression: Expression
}

/** Plans for all the webs, of which those that change nothing are left out. The flow may be a part that holds them. */
export function planMotion(
  flow: readonly FlowBlock[],
  webs: readonly ExpressionWeb[],
  finder: EventFinder,
  isPinned: (node: Node) => boolean,
): WebPlan[] {
  return new Planner(flow, webs, finder, isPinned).plans()
}

class Planner {
  readonly #flow: readonly FlowBlock[]
  readonly #webs: readonly ExpressionWeb[]
  readonly #expressions: readonly Expression[]
  readonly #events: readonly EventsByBlock[]
  readonly #isPinned: (node: Node) => boolean

  constructor(
    flow: readonly FlowBlock[],
    webs: readonly ExpressionWeb[],
    finder: EventFinder,
    isPinned: (node: Node) => boolean,
  ) {
    this.#flow = flow
    this.#webs = webs
    this.#expressions = webs.flat()
    this.#events = this.#expressions.map((expression) => finder.events(expression))
    this.#isPinned = isPinned
  }

  plans(): WebPlan[] {
    const { insertions, redundant } = this.#solve()
    const inserted = new Map<Expression, FlowEdge[]>()
    for (const { edge, expression } of insertions) {
      const key = this.#expressions[expression] as Expression
      inserted.set(key, [...(inserted.get(key) ?? []), edge])
    }
    const numbers = new Map(this.#expressions.map((expression, i) => [expression, i]))
    const isRedundant = (block: FlowBlock, expression: Expression): boolean =>
      redundant.has(rowOf(this.#flow, block), numbers.get(expression) ?? -1)
    const eventsOf = (expression: Expression): EventsByBlock =>
      this.#events[numbers.get(expression) ?? -1] ?? new Map()
    return this.#webs
      .map((web) => this.#planWeb(web, inserted, isRedundant, eventsOf))
      .filter(({ replaced }) => replaced.length > 0)
  }

  #solve(): ReturnType<typeof lazyCodeMotion> {
    const rows = (): BitRows => new BitRows(this.#flow.length, this.#expressions.length)
    const [computedFirst, computedLast, killed] = [rows(), rows(), rows()]
    for (const [i, byBlock] of this.#events.entries())
      for (const [block, events] of byBlock) {
        const index = rowOf(this.#flow, block)
        computedFirst.set(index, i, this.#firstComputed(events) !== undefined)
        computedLast.set(index, i, events.at(-1)?.kind !== 'changes')
        killed.set(
          index,
          i,
          events.some(({ kind }) => kind === 'changes'),
        )
      }
    return lazyCodeMotion({
      flow: this.#flow,
      expressions: this.#expressions.length,
      computedFirst,
      computedLast,
      killed,
      renamed: this.#renamed(),
    })
  }

  /** The node that may be replaced by what comes into the block. */
  #firstComputed([first]: readonly ExpressionEvent[]): Node | undefined {
    return first?.node && !this.#isPinned(first.node) ? first.node : undefined
  }

  #renamed(): Map<FlowEdge, [number, number][]> {
    const numbers = new Map(this.#expressions.map((expression, i) => [expression, i]))
    const renamed = new Map<FlowEdge, [number, number][]>()
    for (const [i, expression] of this.#expressions.entries())
      for (const [edge, before] of expression.renamed) {
        const pair: [number, number] = [i, before ? (numbers.get(before) ?? -1) : -1]
        const pairs = renamed.get(edge)
        if (pairs) pairs.push(pair)
        else renamed.set(edge, [pair])
      }
    return renamed
  }

  #planWeb(
    web: ExpressionWeb,
    inserted: ReadonlyMap<Expression, readonly FlowEdge[]>,
    isRedundant: (block: FlowBlock, expression: Expression) => boolean,
    eventsOf: (expression: Expression) => EventsByBlock,
  ): WebPlan {
    const insertions = new Map<FlowEdge, Expression[]>()
    const replaced: Replacement[] = []
    for (const expression of web) {
      for (const edge of inserted.get(expression) ?? [])
        insertions.set(edge, [...(insertions.get(edge) ?? []), expression])
      for (const [block, events] of eventsOf(expression)) {
        const plan = this.#planBlock(events, isRedundant(block, expression))
        for (const [node, by] of plan.replaced) replaced.push({ node, by, block, expression })
      }
    }
    const lastSource = (block: FlowBlock, expression: Expression): ResultSource => {
      const events = eventsOf(expression).get(block)
      return events ? this.#planBlock(events, isRedundant(block, expression)).last : 'entry'
    }
    return { web, replaced, insertions, lastSource }
  }

  #planBlock(events: readonly ExpressionEvent[], isFirstRedundant: boolean): BlockPlan {
    const replaced: [Node, ResultSource][] = []
    let last: ResultSource | undefined = isFirstRedundant ? 'entry' : undefined
    for (const { kind, node } of events) {
      if (kind === 'changes') last = undefined
      else if (node === undefined) last = 'known'
      else if (last === undefined || this.#isPinned(node)) last = node
      else replaced.push([node, last])
    }
    return { replaced, last: last ?? 'entry' }
  }
}
