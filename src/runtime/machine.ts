import { PermafrostError } from '../errors.ts'
import type { GraphFunction } from '../ir/graph-function.ts'
import type { Graph, Node } from '../ir/graph.ts'
import type { IValue, ScriptObject } from '../ir/ivalue.ts'
import type { EvaluationContext } from '../ops/operator.ts'
import { programOf } from './compile.ts'
import type { Environment } from './environment.ts'
import { ExecutionError, LimitExceededError } from './errors.ts'
import { placeOf } from './place.ts'
import type { Frame, Program } from './program.ts'

const defaultDepth = 200
const stepsBetweenLooksAtTheClock = 1024

/** One run: graphs that call one another share its limits and its environment. */
export class Machine implements EvaluationContext {
  /** As the environment has it when the run begins; what the model switches ends with the run. */
  gradEnabled: boolean
  readonly #environment: Environment
  readonly #maximumDepth: number
  readonly #maximumSteps: number
  readonly #deadline: number
  #depth = 0
  #steps = 0

  constructor(environment: Environment) {
    this.#environment = environment
    this.gradEnabled = environment.gradEnabled ?? true
    const { depth, steps, milliseconds } = environment.limits ?? {}
    this.#maximumDepth = depth ?? defaultDepth
    this.#maximumSteps = steps ?? Infinity
    this.#deadline = milliseconds === undefined ? Infinity : Date.now() + milliseconds
  }

  warn(message: string): void {
    this.#environment.warn(message)
  }

  print(text: string): void {
    this.#environment.print(text)
  }

  random(): number {
    return this.#environment.random()
  }

  callMethod(object: ScriptObject, name: string, args: readonly IValue[]): IValue {
    const method = object.type.methods.get(name)
    if (method === undefined) throw new ExecutionError(`${object.type.name} has no method '${name}'`)
    return this.call(method, [object, ...args])
  }

  /** The function's result; None for one that returns nothing. */
  call(callee: GraphFunction, args: readonly IValue[]): IValue {
    return this.run(callee.graph, args, callee.qualifiedName)[0] ?? null
  }

  /** @param method its name, for errors */
  run(graph: Graph, args: readonly IValue[], method?: string): readonly IValue[] {
    return this.runProgram(programOf(graph), args, method)
  }

  /** As `run`, for a program that was compiled with rules of its own. */
  runProgram(program: Program, args: readonly IValue[], method?: string): readonly IValue[] {
    if (args.length !== program.inputs.length)
      throw new ExecutionError(`expected ${program.inputs.length} arguments but found ${args.length}`)
    if (this.#depth >= this.#maximumDepth)
      throw new LimitExceededError(`more than ${this.#maximumDepth} calls within one another`)
    const frame: Frame = { registers: program.initial.slice(), position: 0 }
    program.inputs.forEach((register, i) => (frame.registers[register] = args[i]))
    this.#depth++
    try {
      this.#execute(program, frame)
    } catch (error) {
      throw this.#located(error, program.code[frame.position - 1]?.node, method)
    } finally {
      this.#depth--
    }
    return program.outputs.map((register) => frame.registers[register] as IValue)
  }

  #execute({ code }: Program, frame: Frame): void {
    while (frame.position < code.length) {
      const instruction = code[frame.position++]
      if (++this.#steps % stepsBetweenLooksAtTheClock === 0) this.#lookAtTheClock()
      if (this.#steps > this.#maximumSteps)
        throw new LimitExceededError(`the run took more than ${this.#maximumSteps} steps`)
      instruction?.execute(frame, this)
    }
  }

  #lookAtTheClock(): void {
    if (Date.now() > this.#deadline) throw new LimitExceededError('the run took longer than its time limit')
  }

  /** The innermost node is the one that an error is told about. */
  #located(error: unknown, node: Node | undefined, method: string | undefined): unknown {
    if (error instanceof RangeError)
      return this.#located(
        new LimitExceededError('the run needs more memory or stack than there is', {}, '', { cause: error }),
        node,
        method,
      )
    if (!(error instanceof PermafrostError) || node === undefined) return error
    const { place } = error
    if (place.node === undefined) return error.withPlace(placeOf(node, method))
    return place.method === undefined && method !== undefined && place.value === node.outputs[0]?.debugName
      ? error.withPlace({ method })
      : error
  }
}
