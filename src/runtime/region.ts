import type { Graph, Node } from '../ir/graph.ts'
import { Double, type IValue } from '../ir/ivalue.ts'
import { eliminateDeadCodePass } from '../passes/eliminate-dead-code.ts'
import { runPasses } from '../passes/pass-manager.ts'
import { contiguous } from '../ops/tensor-access.ts'
import type { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Backend, Plan, PlanOptions, PlanReport } from './backend.ts'
import { compileProgram } from './compile.ts'
import { DataDependentError } from './data-dependence.ts'
import type { Limits } from './environment.ts'
import { SessionDisposedError } from './errors.ts'
import { constantStorages, InputTraits, isWholeAndRowMajor, writesToConstants } from './graph-traits.ts'
import type { Machine } from './machine.ts'
import { ruleOf } from './node-rules.ts'
import type { Program } from './program.ts'
import { resultsOf } from './region-results.ts'
import { signatureOf } from './signature.ts'
import { specialise, type SpecialisedGraph } from './specialise.ts'
import { groupStaticNodes, regionOf } from './static-regions.ts'
import { replaceTensors, tensorsIn } from './value-tensors.ts'

/** What regions share: who plans for them, and how. */
export interface RegionContext {
  readonly backend: Backend
  readonly options: PlanOptions
  /** Plans that one region keeps; the one that was not used for longest goes first. */
  readonly mostPlans: number
  profile: boolean
  /** Of one run, and of the run on tensors without elements when a plan is made. */
  readonly limits?: Limits | undefined
  warn(message: string): void
}

/** What a region does, for `explain`. */
export interface RegionReport {
  /** Of the inputs that the plan is for. */
  readonly signature: string
  readonly plan: PlanReport
}

/** A node that no plan holds. */
export interface InterpretedNode {
  readonly node: Node
  readonly reason: string
}

/** Of a part: one for each value of a number that changes from run to run is too many. */
const mostPlansOfNumbers = 4

interface Planned {
  readonly args: readonly IValue[]
  readonly specialised: SpecialisedGraph
  readonly plan: Plan
  /** Inputs, by their numbers, whose memory outputs look at. */
  readonly lookedAt: ReadonlySet<number>
}

/**
 * A graph that is planned for the kinds of inputs that it meets. Where a node's result depends on more than that, the
 * graph is split around it: the interpreter runs the node, and what is left and right of it are regions again.
 */
export class Region {
  readonly #graph: Graph
  readonly #context: RegionContext
  readonly #plans = new Map<string, Planned>()
  readonly #excluded = new Map<Node, string>()
  /** It is left and right of others, which may write to what it is given and gives. */
  readonly #isPart: boolean
  #disposed = false
  /** Nothing is planned: constants that the graph writes to are no constants. */
  readonly #isInterpreted: boolean
  readonly #traits: InputTraits
  /** What parts need not copy when they give it on: nobody writes to constants. */
  readonly #kept: ReadonlySet<Storage>
  #split: { readonly program: Program; readonly regions: readonly Region[] } | undefined

  constructor(graph: Graph, context: RegionContext, isPart = false) {
    this.#graph = graph
    this.#isPart = isPart
    this.#context = context
    this.#isInterpreted = !isPart && writesToConstants(graph)
    this.#traits = new InputTraits(graph)
    this.#kept = isPart ? constantStorages(graph) : new Set()
  }

  /** @throws SessionDisposedError; what the model raises */
  run(args: readonly IValue[], machine: Machine): readonly IValue[] {
    this.#checkAlive()
    if (this.#isInterpreted) return machine.run(this.#graph, args)
    while (this.#split === undefined) {
      try {
        return this.#runPlanned(args, machine)
      } catch (error) {
        if (!(error instanceof DataDependentError)) throw error
        this.#splitAround([error.node], error.found)
      }
    }
    return machine.runProgram(this.#split.program, args)
  }

  #checkAlive(): void {
    if (this.#disposed)
      throw new SessionDisposedError(
        'the session was disposed of while it ran',
        {},
        'dispose of it when the last run has ended',
      )
  }

  #runPlanned(args: readonly IValue[], machine: Machine): readonly IValue[] {
    const inputs = args.flatMap((arg) => [...tensorsIn(arg)])
    if (this.#traits.tells(inputs)) return machine.run(this.#graph, args)
    const signature = args.map(signatureOf).join(', ')
    const changing = this.#isPart && !this.#plans.has(signature) ? this.#usersOfChangingNumbers(args) : []
    if (changing.length > 0) {
      this.#splitAround(changing, 'a number that it is given changes from run to run')
      return this.run(args, machine)
    }
    const { specialised, plan, lookedAt } = this.#planFor(signature, args)
    // Plans take copies of what is not row-major; looks that are given on must be at the tensor itself.
    if (this.#isPart && [...lookedAt].some((i) => !isWholeAndRowMajor(inputs[i] as Tensor)))
      return machine.run(this.#graph, args)
    const results = plan.run(inputs.map(contiguous), this.#context.profile)
    return resultsOf(specialised, args, results, this.#kept)
  }

  #planFor(signature: string, args: readonly IValue[]): Planned {
    const known = this.#plans.get(signature)
    this.#plans.delete(signature)
    const planned = known ?? this.#makePlan(args)
    this.#plans.set(signature, planned)
    if (this.#plans.size > this.#context.mostPlans) this.#forgetOldest()
    return planned
  }

  /** What takes numbers that have made too many plans: the interpreter does that, and plans go without the numbers. */
  #usersOfChangingNumbers(args: readonly IValue[]): readonly Node[] {
    if (this.#plans.size < mostPlansOfNumbers) return []
    const changing = this.#graph.inputs.filter((_, i) => {
      const values = [...this.#plans.values()].map((planned) => planned.args[i] ?? null)
      return new Set([...values, args[i] ?? null].filter(isNumber).map(signatureOf)).size > mostPlansOfNumbers
    })
    return changing
      .flatMap(({ uses }) => uses.map(({ user }) => user))
      .filter(({ kind }) => kind !== 'prim::Return')
  }

  #makePlan(args: readonly IValue[]): Planned {
    const { backend, options } = this.#context
    const rowMajor = args.map((arg) => replaceTensors(arg, ({ dtype, sizes }) => Tensor.meta(dtype, sizes)))
    const warnings: string[] = []
    const warn = (message: string): number => warnings.push(message)
    const { limits } = this.#context
    const specialised = specialise(this.#graph, rowMajor, {
      warn,
      ...(limits && { limits }),
      decomposes: (operator, given) => backend.prefersDecomposed?.(operator, given) === true,
    })
    for (const warning of warnings) this.#context.warn(warning)
    this.#checkAlive()
    // No pass that merges values: stand-ins tell which of them share memory.
    runPasses(specialised.graph, [eliminateDeadCodePass])
    return {
      args: rowMajor,
      specialised,
      plan: backend.plan(specialised, options),
      lookedAt: inputsSeenInOutputs(specialised),
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#plans.keys()
    if (oldest === undefined) return
    this.#plans.get(oldest)?.plan.dispose()
    this.#plans.delete(oldest)
  }

  #splitAround(nodes: readonly Node[], why: string): void {
    for (const node of nodes) this.#excluded.set(node, why)
    const grouped = groupStaticNodes(this.#graph, new Set(this.#excluded.keys()))
    const regions: Region[] = []
    const program = compileProgram(grouped, (each) => {
      const inner = regionOf(each)
      if (inner === undefined) return ruleOf(each)
      const region = new Region(inner, this.#context, true)
      regions.push(region)
      return (args, machine) => region.run(args, machine)
    })
    this.#forgetPlans()
    this.#split = { program, regions }
  }

  /** Reports of all plans, its own and those of its parts. */
  *reports(): Generator<RegionReport, void, undefined> {
    for (const [signature, { plan }] of this.#plans) yield { signature, plan: plan.report() }
    for (const region of this.#split?.regions ?? []) yield* region.reports()
  }

  *interpreted(): Generator<InterpretedNode, void, undefined> {
    for (const [node, reason] of this.#excluded) yield { node, reason }
    for (const region of this.#split?.regions ?? []) yield* region.interpreted()
  }

  #forgetPlans(): void {
    for (const { plan } of this.#plans.values()) plan.dispose()
    this.#plans.clear()
  }

  dispose(): void {
    this.#disposed = true
    this.#forgetPlans()
    for (const region of this.#split?.regions ?? []) region.dispose()
  }
}

function isNumber(value: IValue): boolean {
  return typeof value === 'number' || value instanceof Double
}

/** Inputs whose memory outputs look at. */
function inputsSeenInOutputs({ graph, tensors, outputOf }: SpecialisedGraph): ReadonlySet<number> {
  const seen = new Set([...outputOf.keys()].map(({ storage }) => storage))
  const indices = graph.inputs.flatMap((value, i) => {
    const storage = tensors.get(value)?.storage
    return storage && seen.has(storage) ? [i] : []
  })
  return new Set(indices)
}
