import { readFileSync } from 'node:fs'
import { parseGraph } from '../ir/graph-parser.ts'
import { printGraph } from '../ir/graph-printer.ts'
import { verifyGraph } from '../ir/verifier.ts'
import { findPass } from '../passes/all-passes.ts'
import { runPasses } from '../passes/pass-manager.ts'
import { pipelines } from '../passes/pipelines.ts'
import { passOptions, stopOption } from './pass-options.ts'
import type { Verb } from './verb.ts'

export const optVerb: Verb = {
  name: 'opt',
  summary: 'reads textual IR on stdin, runs passes, writes textual IR on stdout',
  usage: 'opt [--passes a,b,c] [--stop-after PASS[=N]] [--skip a,b] < before.ir > after.ir',
  options: { passes: { type: 'string' }, 'stop-after': { type: 'string' }, skip: { type: 'string' } },
  run(args, out) {
    args.expectPositionals(0, 0, this.usage)
    const passes = (args.words('passes') ?? []).flatMap((name) => pipelines[name] ?? [findPass(name)])
    const options = { ...passOptions(args), verify: true, ...stopOption(args, 'stop-after', passes) }
    const graph = parseGraph(readFileSync(0, 'utf8'))
    verifyGraph(graph)
    const stats = runPasses(graph, passes, options)
    const text = printGraph(graph)
    if (out.json) out.document({ passes: stats, graph: text })
    else out.print(text.trimEnd())
    return 0
  },
}
