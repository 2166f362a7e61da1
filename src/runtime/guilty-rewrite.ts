import type { Graph } from '../ir/graph.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import type { FreezeOptions, FrozenModule } from '../passes/freeze-module.ts'
import type { FreezePass } from '../passes/freeze-report.ts'
import type { PassEvent } from '../passes/support/context.ts'
import { sourceOf } from './value-record.ts'

/** One change of one pass. */
export interface GuiltyRewrite {
  readonly pass: string
  /** 1 for the pass's first in this method: `--stop-after PASS=N` stops behind it. */
  readonly number: number
  /** Kind and name of what was rewritten, and why; unset where the pass does not say. */
  readonly node?: string
  readonly value?: string
  readonly why?: string
  /** Where that was written in Python. */
  readonly source?: string
}

type Stop = NonNullable<FreezeOptions['stopAfter']>

export interface Guilt {
  readonly rewrite: GuiltyRewrite
  /** The method right before and right behind the rewrite, with values named alike. */
  readonly before: Stage
  readonly after: Stage
}

/** A graph on its way through the passes, and the module that is its first input. */
export interface Stage {
  readonly graph: Graph
  readonly self: ScriptObject
}

/** Freezes the module anew, up to there; tells also the module as it was given. */
export type FreezeUpTo = (
  stopAfter?: Stop,
  extra?: FreezeOptions,
) => FrozenModule & { readonly original: ScriptObject }

/**
 * Finds the rewrite with which a frozen module begins to differ: by halving the list of passes, then the rewrites of
 * the guilty pass. Undefined if it differs before anything was rewritten, or only because of another method's graph.
 */
export function findGuiltyRewrite(
  method: string,
  passes: readonly FreezePass[],
  freezeUpTo: FreezeUpTo,
  differs: (module: ScriptObject) => boolean,
): Guilt | undefined {
  const steps = stepsOf(passes.filter((pass) => pass.method === method))
  const differsAt = (stop: Stop): boolean => differs(freezeUpTo(stop).module)
  const [first] = steps
  if (first === undefined || differsAt({ pass: first.pass, changes: 0 })) return undefined
  const at = firstWhere(0, steps.length - 1, (i) => differsAt(stopOf(steps[i] as Step)))
  const step = steps[at] as Step
  const number = firstWhere(step.from + 1, step.to, (changes) => differsAt({ pass: step.pass, changes }))
  const before = stageAt(method, { pass: step.pass, changes: number - 1 }, freezeUpTo)
  const after = stageAt(method, { pass: step.pass, changes: number }, freezeUpTo)
  if (before === undefined || after === undefined) return undefined
  return {
    before,
    after,
    rewrite: describeRewrite(step.pass, number, after.events[number - 1], before.graph),
  }
}

/** A run of a pass that changed something: its rewrites `from + 1` to `to`, counted over all runs of that pass. */
interface Step {
  readonly pass: string
  readonly from: number
  readonly to: number
}

const stopOf = ({ pass, to }: Step): Stop => ({ pass, changes: to })

function stepsOf(passes: readonly FreezePass[]): Step[] {
  const done = new Map<string, number>()
  const steps: Step[] = []
  for (const { name, rewrites } of passes) {
    const from = done.get(name) ?? 0
    done.set(name, from + rewrites)
    if (rewrites > 0) steps.push({ pass: name, from, to: from + rewrites })
  }
  return steps
}

/** The smallest number in [low, high] for which it holds, which it does for `high`. */
function firstWhere(low: number, high: number, holds: (i: number) => boolean): number {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return to
}

interface RecordedStage extends Stage {
  /** The rewrites of the pass that was stopped. */
  readonly events: readonly PassEvent[]
}

/** Undefined if freezing does not tell of the pass. */
function stageAt(method: string, stopAfter: Stop, freezeUpTo: FreezeUpTo): RecordedStage | undefined {
  const graphs = new Map<Graph, PassEvent[]>()
  let events: PassEvent[] = []
  const { report, original } = freezeUpTo(stopAfter, {
    onEvent: (event) => {
      if (event.pass === stopAfter.pass && event.kind === 'rewrite') events.push(event)
    },
    afterPass: ({ name }, graph) => {
      if (name === stopAfter.pass) graphs.set(graph, [...(graphs.get(graph) ?? []), ...events])
      events = []
    },
  })
  const methods = report.passes.filter(({ name }) => name === stopAfter.pass).map((pass) => pass.method)
  const found = [...graphs][[...new Set(methods)].indexOf(method)]
  return found && { graph: found[0], self: original, events: found[1] }
}

function describeRewrite(
  pass: string,
  number: number,
  event: PassEvent | undefined,
  before: Graph,
): GuiltyRewrite {
  if (event === undefined) return { pass, number }
  const { node, value, why } = event
  const found = value === undefined ? undefined : before.value(value)
  const source = found && sourceOf(found.node)
  return {
    pass,
    number,
    node,
    why,
    ...(value !== undefined && { value }),
    ...(source !== undefined && { source }),
  }
}
