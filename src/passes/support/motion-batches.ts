import type { EventFinder } from './expression-events.ts'
import type { ExpressionWeb } from './expression-webs.ts'
import type { FlowBlock } from './structured-flow.ts'

/** Webs that are solved at once, and the blocks that concern them. */
export interface MotionBatch {
  readonly webs: readonly ExpressionWeb[]
  readonly flow: readonly FlowBlock[]
}

interface Span {
  readonly web: ExpressionWeb
  /** The last block that every way passes in front of the web's first event, and the first one behind its last. */
  readonly first: number
  readonly last: number
}

/** Expressions to solve at once: enough to fill words, few enough to stay near one another. */
const batchSize = 256

/**
 * Puts webs of the same region together, so that each is solved over that region only: most concern a few blocks of a
 * long graph.
 */
export function* motionBatches(
  flow: readonly FlowBlock[],
  webs: readonly ExpressionWeb[],
  finder: EventFinder,
): Generator<MotionBatch, void, undefined> {
  const spans = spansOf(flow, webs, finder)
  const extent = ({ first, last }: Span): number => Math.clz32(last - first + 1)
  spans.sort((a, b) => extent(b) - extent(a) || a.first - b.first)
  let batch: Span[] = []
  let size = 0
  for (const [i, span] of spans.entries()) {
    batch.push(span)
    size += span.web.length
    const next = spans[i + 1]
    if (next && size < batchSize && extent(next) === extent(span)) continue
    yield batchOf(flow, batch)
    batch = []
    size = 0
  }
}

function batchOf(flow: readonly FlowBlock[], spans: readonly Span[]): MotionBatch {
  const first = spans.reduce((least, span) => Math.min(least, span.first), Infinity)
  const last = spans.reduce((most, span) => Math.max(most, span.last), 0)
  return { webs: spans.map(({ web }) => web), flow: flow.slice(first, last + 1) }
}

function spansOf(flow: readonly FlowBlock[], webs: readonly ExpressionWeb[], finder: EventFinder): Span[] {
  const [entry] = flow
  const isPassed = (index: number): boolean => flow[index]?.owner === entry?.owner
  const before = flow.map(() => 0)
  const behind = flow.map(() => flow.length - 1)
  for (const { index } of flow) before[index] = isPassed(index) ? index : (before[index - 1] ?? 0)
  for (const { index } of [...flow].reverse())
    behind[index] = isPassed(index) ? index : (behind[index + 1] ?? flow.length - 1)
  return webs.map((web) => {
    let [first, last] = [flow.length - 1, 0]
    for (const expression of web)
      for (const { index } of finder.events(expression).keys()) {
        first = Math.min(first, index)
        last = Math.max(last, index)
      }
    return { web, first: before[first] ?? 0, last: behind[last] ?? flow.length - 1 }
  })
}
