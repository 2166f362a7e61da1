import type { Explanation } from '../runtime/session.ts'

/**
 * The last profiled run as a trace for `chrome://tracing` and Perfetto (the Trace Event Format's complete events, times in
 * microseconds). Steps stand one behind the other: what passes between them is not in it.
 */
export function chromeTrace({ plans }: Explanation): object {
  let ts = 0
  const traceEvents = plans.flatMap(({ steps }, plan) =>
    steps.map(({ nodes, milliseconds = 0, backend, ...args }) => {
      const dur = milliseconds * 1000
      const event = { name: nodes, cat: backend, ph: 'X', ts, dur, pid: 1, tid: plan + 1, args }
      ts += dur
      return event
    }),
  )
  return { traceEvents, displayTimeUnit: 'ms' }
}
