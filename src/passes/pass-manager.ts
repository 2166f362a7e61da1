import type { Graph, Node } from '../ir/graph.ts'
import { verifyGraph } from '../ir/verifier.ts'
import { PassBrokeGraphError, PassOrderError } from './errors.ts'
import { passesOf, type Pass, type PassServices, type PipelineStep } from './pass.ts'
import { createContext, type CountingContext, type PassEvent } from './support/context.ts'

export interface PassOptions {
  readonly services?: Partial<PassServices>
  /** Names of passes to leave out. */
  readonly skip?: readonly string[]
  /** Ends the list after the pass of that name, or within it after so many rewrites. */
  readonly stopAfter?: { readonly pass: string; readonly changes?: number }
  /** Checks the graph after every pass that changed it. */
  readonly verify?: boolean
  /** Called after every pass, e.g. to print the graph. */
  readonly afterPass?: (stats: PassStats, graph: Graph) => void
  /** Called for every rewrite and every miss. */
  readonly onEvent?: (event: PassEvent) => void
  /** A clock in milliseconds; without one all times are 0. */
  readonly now?: () => number
}

export interface PassStats {
  readonly name: string
  readonly rewrites: number
  readonly misses: number
  readonly milliseconds: number
  /** Nodes of the graph, nested ones included. */
  readonly nodesBefore: number
  readonly nodesAfter: number
}

/**
 * Runs the passes on the graph, in order; repeated ones until a round of them changes nothing. Each run of a pass has
 * its own statistics.
 *
 * @throws PassOrderError when a pass needs another that is not in front of it
 * @throws PassBrokeGraphError when verification fails
 */
export function runPasses(
  graph: Graph,
  steps: readonly PipelineStep[],
  options: PassOptions = {},
): PassStats[] {
  checkOrder(steps.flatMap(passesOf))
  const run = new PassRun(graph, options)
  for (const step of steps) {
    const rounds = 'repeat' in step ? step.atMost : 1
    for (let round = 0; round < rounds && run.once(passesOf(step)); round++);
    if (run.isOver) break
  }
  return run.stats
}

class PassRun {
  readonly stats: PassStats[] = []
  /** Whether `stopAfter` has been reached. */
  isOver = false
  readonly #graph: Graph
  readonly #options: PassOptions
  readonly #rewritesByName = new Map<string, number>()

  constructor(graph: Graph, options: PassOptions) {
    this.#graph = graph
    this.#options = options
  }

  /** @returns whether another round might change something */
  once(passes: readonly Pass[]): boolean {
    let changed = false
    for (const pass of passes) {
      if (this.#options.skip?.includes(pass.name) === true) continue
      const done = this.#rewritesByName.get(pass.name) ?? 0
      const ran = runOne(this.#graph, pass, this.#options, done)
      this.#rewritesByName.set(pass.name, done + ran.rewrites)
      this.stats.push(ran)
      changed ||= ran.rewrites > 0
      this.isOver = isLast(pass, this.#options, done + ran.rewrites)
      if (this.isOver) return false
    }
    return changed
  }
}

function checkOrder(passes: readonly Pass[]): void {
  const before = new Set<string>()
  for (const pass of passes) {
    const missing = pass.needs?.find((name) => !before.has(name))
    if (missing !== undefined)
      throw new PassOrderError(
        `pass ${pass.name} needs ${missing} in front of it`,
        {},
        `list ${missing} before ${pass.name}`,
      )
    before.add(pass.name)
  }
}

function isLast(pass: Pass, { stopAfter }: PassOptions, rewrites: number): boolean {
  return stopAfter?.pass === pass.name && rewrites >= (stopAfter.changes ?? 0)
}

function runOne(graph: Graph, pass: Pass, options: PassOptions, done: number): PassStats {
  const { stopAfter, onEvent, now = () => 0 } = options
  const changes = stopAfter?.pass === pass.name ? stopAfter.changes : undefined
  const report = (kind: PassEvent['kind']) => (at: Node, why: string) =>
    onEvent?.({ pass: pass.name, kind, node: at.kind, value: at.outputs[0]?.debugName, why })
  const cx = createContext({
    ...(options.services && { services: options.services }),
    ...(changes !== undefined && { limit: changes - done }),
    ...(onEvent && { onRewrite: report('rewrite'), onMiss: report('miss') }),
  })
  const nodesBefore = countNodes(graph)
  const start = now()
  pass.run(graph, cx)
  const milliseconds = now() - start
  if (options.verify === true && cx.rewrites > 0) verifyAfter(graph, pass, cx, done)
  const { rewrites, misses } = cx
  const stats = {
    name: pass.name,
    rewrites,
    misses,
    milliseconds,
    nodesBefore,
    nodesAfter: countNodes(graph),
  }
  options.afterPass?.(stats, graph)
  return stats
}

function verifyAfter(graph: Graph, pass: Pass, cx: CountingContext, done: number): void {
  try {
    verifyGraph(graph)
  } catch (error) {
    const changes = done + cx.rewrites
    throw new PassBrokeGraphError(
      `${pass.name} broke the graph after ${changes} changes`,
      {},
      `rerun with --stop-after ${pass.name}=${changes - 1}`,
      { cause: error },
    )
  }
}

function countNodes(graph: Graph): number {
  return [...graph.nodes()].length
}
