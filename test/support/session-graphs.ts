import { GraphEditor } from '../../src/ir/graph-editor.ts'
import { Graph, Value } from '../../src/ir/graph.ts'
import { List, type IValue } from '../../src/ir/ivalue.ts'
import { typeOfValue } from '../../src/ir/type-of-value.ts'
import { IntT, listOf, TensorT } from '../../src/ir/types.ts'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { createOneDnnBackend } from '../../src/backends/onednn/onednn-backend.ts'
import type { Backend, PlanOptions, StepReport } from '../../src/runtime/backend.ts'
import { createEnvironment } from '../../src/runtime/environment.ts'
import { runGraph } from '../../src/runtime/interpreter.ts'
import { Machine } from '../../src/runtime/machine.ts'
import { Region } from '../../src/runtime/region.ts'
import { tensorsIn } from '../../src/runtime/value-tensors.ts'
import { offsetsOf } from '../../src/passes/support/fold-tensors.ts'
import { isFloating } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** What a node takes: a value of the graph, a list of such, a constant, or a list of ints. */
export type Argument = Value | readonly Value[] | IValue | readonly number[]

/** Graphs written down call by call. */
export class GraphBuilder {
  readonly graph = new Graph()
  readonly inputs: IValue[] = []
  readonly #edit = new GraphEditor(this.graph)

  input(value: IValue): Value {
    this.inputs.push(value)
    return this.#edit.addBlockInput(this.graph.block, typeOfValue(value))
  }

  constant(value: IValue): Value {
    return this.#edit.insertConstant(value, value === null ? { kind: 'None' } : typeOfValue(value))
  }

  call(kind: string, ...args: readonly Argument[]): Value {
    return this.calls(kind, [TensorT], ...args)[0]!
  }

  /** The two halves and so on that an operator gives as a list. */
  unpack(kind: string, count: number, ...args: readonly Argument[]): readonly Value[] {
    const [list] = this.calls(kind, [listOf(TensorT)], ...args)
    return this.#edit.insert('prim::ListUnpack', [list!], { outputs: new Array(count).fill(TensorT) }).outputs
  }

  calls(kind: string, outputs: readonly Value['type'][], ...args: readonly Argument[]): readonly Value[] {
    return this.#edit.insert(
      kind.startsWith('prim::') ? kind : `aten::${kind}`,
      args.map((arg) => this.#valueOf(arg)),
      { outputs },
    ).outputs
  }

  #valueOf(arg: Argument): Value {
    if (arg instanceof Value) return arg
    if (!Array.isArray(arg)) return this.constant(arg as IValue)
    if (arg[0] instanceof Value)
      return this.#edit
        .insert('prim::ListConstruct', arg as readonly Value[], { outputs: [listOf(TensorT)] })
        .output()
    return this.constant(new List([...(arg as readonly number[])], IntT))
  }

  output(...values: readonly Value[]): this {
    for (const value of values) this.#edit.addBlockOutput(this.graph.block, value)
    return this
  }
}

/** The backend on the system's library; undefined where there is none, so that its tests are skipped. */
export const oneDnn: Backend | undefined = ((): Backend | undefined => {
  try {
    return createOneDnnBackend(openOneDnn())
  } catch {
    return undefined
  }
})()

export interface PlannedRun {
  readonly outputs: readonly Tensor[]
  readonly steps: readonly StepReport[]
  /** Kinds of nodes that no plan holds. */
  readonly interpreted: readonly string[]
}

/** Runs a graph as a session does, twice: what the first run leaves in the arena must not show in the second. */
export function runPlanned(
  graph: Graph,
  inputs: readonly IValue[],
  backend: Backend,
  options: PlanOptions = { threads: 1 },
): PlannedRun {
  const region = new Region(graph, {
    backend,
    options,
    mostPlans: 4,
    profile: false,
    warn: () => undefined,
  })
  try {
    region.run(inputs, new Machine(createEnvironment()))
    const outputs = region.run(inputs, new Machine(createEnvironment()))
    return {
      outputs: outputs.flatMap((output) => [...tensorsIn(output)]),
      steps: [...region.reports()].flatMap(({ plan }) => plan.steps),
      interpreted: [...region.interpreted()].map(({ node }) => node.kind),
    }
  } finally {
    region.dispose()
  }
}

/** Measured choices bring more layouts together than the library's own preferences. */
const ways: readonly PlanOptions[] = [{ threads: 1 }, { threads: 2, tune: true }]

/** What differs between planned runs and the interpreter, in words; undefined if nothing does. */
export function differenceFromInterpreter(
  builder: GraphBuilder,
  backend: Backend,
  tolerance: number,
): string | undefined {
  const wanted = interpreted(builder)
  for (const options of ways) {
    const { outputs } = runPlanned(builder.graph, builder.inputs, backend, options)
    if (wanted.length !== outputs.length) return `${wanted.length} outputs became ${outputs.length}`
    for (const [i, tensor] of wanted.entries()) {
      const why = difference(tensor, outputs[i]!, tolerance)
      if (why !== undefined) return `output ${i}: ${why}, ${JSON.stringify(options)}`
    }
  }
  return undefined
}

/** Tensors of the outputs. */
export function interpreted({ graph, inputs }: GraphBuilder): readonly Tensor[] {
  return runGraph(graph, inputs).flatMap((output) => [...tensorsIn(output)])
}

function difference(wanted: Tensor, found: Tensor, tolerance: number): string | undefined {
  const [a, b] = [wanted, found].map(({ dtype, sizes }) => `${dtype}[${sizes.join()}]`)
  if (a !== b) return `${a} became ${b}`
  const [expected, elements] = [numbers(wanted), numbers(found)]
  // What cancels out in a tail of gelu, say, is off by 1e-7 of its arguments, however small it is.
  const scale = expected.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1e-2)
  const allowed = isFloating(wanted.dtype) ? tolerance * scale : 0
  const at = expected.findIndex(
    (value, k) => !(Object.is(value, elements[k]) || Math.abs(value - elements[k]!) <= allowed),
  )
  return at < 0 ? undefined : `element ${at} of ${a} is ${elements[at]}, wanted ${expected[at]}`
}

function numbers(tensor: Tensor): number[] {
  const { data } = tensor
  return Array.from(offsetsOf(tensor), (offset) => Number(data[offset]))
}
