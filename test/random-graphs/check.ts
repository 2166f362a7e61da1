import { copyGraph } from '../../src/ir/graph-editor.ts'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { Dict, List, ScriptObject, Tuple, type IValue } from '../../src/ir/ivalue.ts'
import { verifyGraph } from '../../src/ir/verifier.ts'
import { loadBytes, saveBytes } from '../../src/load.ts'
import { allPasses } from '../../src/passes/all-passes.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { runPasses } from '../../src/passes/pass-manager.ts'
import type { Pass } from '../../src/passes/pass.ts'
import { methodOf } from '../../src/passes/support/inline-module.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { runGraph } from '../../src/runtime/interpreter.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { moduleFactory } from './model.ts'
import {
  boundedEnvironment,
  firstDifference,
  isOurs,
  isWild,
  observe,
  runCalls,
  type Call,
  type Outcome,
} from './outcome.ts'
import type { Program } from './program.ts'
import { Random } from './random.ts'

/** What a program showed: nothing wrong, a fault, or that it is no test (it fails by itself, or does not compile). */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'fault'; readonly where: string; readonly why: string }

export interface CheckOptions {
  /** Lists of passes that change no bit are drawn from these. */
  readonly passes?: readonly Pass[]
}

const relativeTolerance = 1e-3

/**
 * Runs a program as it is, and in every form that must do the same: inlined with random lists of passes, frozen with
 * and without the passes that change the last bits, printed and parsed, saved and loaded.
 */
export function checkProgram(program: Program, options: CheckOptions = {}): Verdict {
  let reference: Reference
  try {
    reference = new Reference(program)
  } catch (error) {
    if (isOurs(error)) return { kind: 'unusable', why: `${error.name}: ${error.found}` }
    return { kind: 'fault', where: 'as written', why: String(error) }
  }
  for (const [where, difference] of formsOf(reference, program, options)) {
    try {
      const why = difference()
      if (why !== undefined) return { kind: 'fault', where, why }
    } catch (error) {
      return {
        kind: 'fault',
        where,
        why: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      }
    }
  }
  return { kind: 'same' }
}

type Form = readonly [where: string, difference: () => string | undefined]

/** The program as written, and what it does. */
class Reference {
  readonly make: () => ScriptObject
  readonly methods: readonly string[]
  readonly outcome: Outcome
  readonly state: Outcome

  constructor(program: Program) {
    this.make = moduleFactory(program)
    this.methods = program.preserved.includes('other')
      ? ['forward', 'other', 'forward']
      : ['forward', 'forward']
    const module = this.make()
    this.outcome = this.run(callsOf(module))
    this.state = observe(module, 'self')
  }

  run(call: Call): Outcome {
    return runCalls({ methods: this.methods, call })
  }

  /** Compares what calls do, and what they leave in those attributes of the original that `module` still has. */
  compare(call: Call, module: ScriptObject, tolerance = 0): string | undefined {
    const found = this.run(call)
    const state = new Map(this.state)
    const left = observe(module, 'self')
    const expected = left.map(([what]) => [what, state.get(what) ?? 'nothing'] as const)
    return firstDifference([...this.outcome, ...expected], [...found, ...left], tolerance)
  }
}

function callsOf(module: ScriptObject): Call {
  return (method, args, print) => runMethod(module, method, args, boundedEnvironment(print))
}

/** Calls graphs that take the module as their first input. */
function callsOfGraphs(module: ScriptObject, graphOf: (method: string) => Graph): Call {
  const graphs = new Map<string, Graph>()
  return (method, args, print) => {
    const graph = graphs.get(method) ?? graphOf(method)
    graphs.set(method, graph)
    return runGraph(graph, [module, ...args], boundedEnvironment(print))[0] ?? null
  }
}

function formsOf(reference: Reference, program: Program, options: CheckOptions): Form[] {
  const random = new Random(program.seed + 1)
  const exact = (options.passes ?? allPasses).filter((pass) => pass.changesNumerics !== true)
  const list = drawPasses(random, exact)
  const names = list.map((pass) => pass.name).join()
  const { preserved } = program
  return [
    ['inlined', () => compareInlined(reference, [])],
    [`inlined, ${names}`, () => compareInlined(reference, list)],
    ['frozen', () => compareFrozen(reference, { preserved, optimizeNumerics: false }, 0, [])],
    [`frozen, ${names}`, () => compareFrozen(reference, { preserved, optimizeNumerics: false }, 0, list)],
    ['printed and parsed', () => compareText(reference, list)],
    ['frozen with numerics', () => compareNumerics(reference, preserved)],
    ['saved and loaded', () => compareSaved(reference, reference.make())],
    [
      'frozen, saved and loaded',
      () => compareSaved(reference, freeze(reference.make(), { preserved, optimizeNumerics: false }).module),
    ],
  ]
}

/** One pass alone as often as a list of up to twelve. */
function drawPasses(random: Random, passes: readonly Pass[]): Pass[] {
  const count = random.chance(0.5) ? 1 : 2 + random.below(11)
  return Array.from({ length: count }, () => random.pick(passes))
}

function transformed(graph: Graph, passes: readonly Pass[]): Graph {
  const copy = copyGraph(graph)
  for (const pass of passes) {
    runPasses(copy, [{ name: pass.name, summary: pass.summary, run: (g, cx) => pass.run(g, cx) }], {
      verify: true,
    })
    verifyGraph(copy)
  }
  return copy
}

function compareInlined(reference: Reference, passes: readonly Pass[]): string | undefined {
  const module = reference.make()
  const graphs = callsOfGraphs(module, (method) => {
    return transformed(inlinedGraph(methodOf(module, method)), passes)
  })
  return reference.compare(graphs, module)
}

interface Freezing {
  readonly preserved: readonly string[]
  readonly optimizeNumerics: boolean
}

/** Also with further passes run over the frozen graphs. */
function compareFrozen(
  reference: Reference,
  freezing: Freezing,
  tolerance: number,
  passes: readonly Pass[],
): string | undefined {
  const { module } = freeze(reference.make(), { ...freezing, verify: true })
  if (passes.length === 0) return reference.compare(callsOf(module), module, tolerance)
  const graphs = callsOfGraphs(module, (method) => transformed(methodOf(module, method).graph, passes))
  return reference.compare(graphs, module, tolerance)
}

/** What is printed of the inlined graphs can be read, prints the same again, and does the same. */
function compareText(reference: Reference, passes: readonly Pass[]): string | undefined {
  const module = reference.make()
  const types = new Map<string, ScriptObject['type']>()
  collectTypes(module, types)
  const graphs = callsOfGraphs(module, (method) =>
    throughText(transformed(inlinedGraph(methodOf(module, method)), passes), types),
  )
  return reference.compare(graphs, module)
}

function compareNumerics(reference: Reference, preserved: readonly string[]): string | undefined {
  if (isWild(reference.outcome) || isWild(reference.state)) return undefined
  return compareFrozen(reference, { preserved, optimizeNumerics: true }, relativeTolerance, [])
}

/** The graph that is read from the printed one. Text does not hold tensors: with some, the graph itself. */
function throughText(graph: Graph, types: ReadonlyMap<string, ScriptObject['type']>): Graph {
  const text = printGraph(graph)
  const parsed = parseGraph(text, { resolveType: (name) => types.get(name) })
  const again = printGraph(parsed)
  if (again !== text) throw new TypeError(`printed, parsed and printed it differs:\n${text}\n---\n${again}`)
  return [...graph.nodes('prim::Constant')].some((node) => holdsTensor(node.attribute('value') ?? null))
    ? graph
    : parsed
}

function holdsTensor(value: IValue): boolean {
  if (value instanceof List || value instanceof Tuple) return value.elements.some(holdsTensor)
  return value instanceof Tensor || value instanceof Dict
}

function collectTypes(object: ScriptObject, types: Map<string, ScriptObject['type']>): void {
  types.set(object.type.name, object.type)
  for (const content of object.slots.values())
    if (content instanceof ScriptObject) collectTypes(content, types)
}

function compareSaved(reference: Reference, module: ScriptObject): string | undefined {
  const bytes = saveBytes({ root: module, name: 'test', version: 10, extra: new Map() })
  const { root } = loadBytes(bytes)
  return reference.compare(callsOf(root), root)
}
