import { performance } from 'node:perf_hooks'
import { printGraph } from '../ir/graph-printer.ts'
import { findPass } from '../passes/all-passes.ts'
import type { PassOptions } from '../passes/pass-manager.ts'
import { passesOf, type PipelineStep } from '../passes/pass.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'

/** Options of the pass manager from the command line and from `PERMAFROST_DEBUG=passes`. */
export function passOptions(args: Arguments): PassOptions {
  const scopes = (process.env['PERMAFROST_DEBUG'] ?? '').split(',').filter((scope) => scope !== '')
  const skip = args.words('skip')
  for (const name of skip ?? []) findPass(name)
  return {
    now: () => performance.now(),
    ...(skip && { skip }),
    ...(scopes.length > 0 && {
      afterPass: (stats, graph) => {
        if (!scopes.includes('passes') && !scopes.includes(stats.name)) return
        process.stderr.write(
          `# after ${stats.name}: ${stats.rewrites} rewrites, ${stats.milliseconds.toFixed(1)} ms\n${printGraph(graph)}`,
        )
      },
    }),
  }
}

/**
 * Where an option `PASS` or `PASS=N` ends the list of passes; nothing where it is not given.
 *
 * @throws UnknownPassError; UsageError for a pass that does not run, and what is no number of rewrites
 */
export function stopOption(
  args: Arguments,
  name: string,
  steps: readonly PipelineStep[],
): Pick<PassOptions, 'stopAfter'> {
  const [pass, changes, ...rest] = args.text(name)?.split('=') ?? []
  if (pass === undefined) return {}
  const runs = steps.flatMap((step) => passesOf(step).map((each) => each.name))
  checkRuns(name, findPass(pass).name, runs)
  if (rest.length > 0 || (changes !== undefined && !/^\d+$/.test(changes)))
    throw new UsageError(
      `--${name} takes PASS or PASS=N, a number of rewrites, not '${args.text(name) ?? ''}'`,
    )
  return { stopAfter: { pass, ...(changes !== undefined && { changes: Number(changes) }) } }
}

/** @throws UsageError where no pass of that name has run, or would */
export function checkRuns(option: string, pass: string, runs: readonly string[]): void {
  if (runs.includes(pass)) return
  const list = [...new Set(runs)].join(', ')
  throw new UsageError(`--${option} ${pass}: that pass is not run`, {}, `there run ${list || 'none'}`)
}
