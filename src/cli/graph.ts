import { printDot } from '../ir/dot-printer.ts'
import type { Graph } from '../ir/graph.ts'
import { printGraph } from '../ir/graph-printer.ts'
import { findPass } from '../passes/all-passes.ts'
import { freeze } from '../passes/freeze-module.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { flagsOf } from './freeze.ts'
import { inputOptions } from './inputs.ts'
import { laidOutGraph } from './layouts.ts'
import { findMethod, loadModel } from './model.ts'
import { checkRuns, passOptions } from './pass-options.ts'
import type { Verb } from './verb.ts'

export const graphVerb: Verb = {
  name: 'graph',
  summary: 'prints the graph of a method',
  usage:
    'graph MODEL [--method forward] [--inlined] [--frozen] [--after PASS] [--layouts blocked|onednn [--input V]... [--inputs FILE.npz]] [--ranges] [--format ir|dot]',
  options: {
    method: { type: 'string' },
    inlined: { type: 'boolean' },
    frozen: { type: 'boolean' },
    after: { type: 'string' },
    ranges: { type: 'boolean' },
    layouts: { type: 'string' },
    ...inputOptions,
    flag: { type: 'string', multiple: true },
    preserve: { type: 'string', multiple: true },
    'no-fold': { type: 'boolean' },
    skip: { type: 'string' },
    format: { type: 'string' },
  },
  run(args, out) {
    args.expectPositionals(1, 1, this.usage)
    const format = args.text('format') ?? 'ir'
    if (format !== 'ir' && format !== 'dot')
      throw new UsageError(`--format must be ir or dot, not '${format}'`)
    const method = args.text('method') ?? 'forward'
    const layouts = args.text('layouts')
    const graph = layouts === undefined ? graphOf(args, method) : laidOutGraph(args, method, layouts)
    const text = format === 'dot' ? printDot(graph) : printGraph(graph, { ranges: args.flag('ranges') })
    if (out.json) out.document({ method, format, nodes: [...graph.nodes()].length, graph: text })
    else out.print(text.trimEnd())
    return 0
  },
}

function graphOf(args: Arguments, method: string): Graph {
  const path = args.positionals[0] as string
  const model = loadModel(path)
  const fn = findMethod(model, method, path)
  const after = args.text('after')
  if (!args.flag('frozen') && after === undefined) return args.flag('inlined') ? inlinedGraph(fn) : fn.graph
  const { module, report } = freeze(model.root, {
    ...passOptions(args),
    ...(after !== undefined && {
      stopAfter: { pass: after === 'freeze-module' ? after : findPass(after).name },
    }),
    preserved: [...args.texts('preserve'), ...(method === 'forward' ? [] : [method])],
    flags: flagsOf(args),
    optimizeNumerics: !args.flag('no-fold'),
  })
  if (after !== undefined && after !== 'freeze-module')
    checkRuns(
      'after',
      after,
      report.passes.map(({ name }) => name),
    )
  return findMethod({ ...model, root: module }, method, path).graph
}
