import { performance } from 'node:perf_hooks'
import { printGraph } from '../ir/graph-printer.ts'
import { findPass } from '../passes/all-passes.ts'
import type { PassOptions } from '../passes/pass-manager.ts'
import type { Arguments } from './arguments.ts'

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
