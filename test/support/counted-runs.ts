import type { Graph, Node } from '../../src/ir/graph.ts'
import type { IValue } from '../../src/ir/ivalue.ts'
import { compileProgram } from '../../src/runtime/compile.ts'
import { createEnvironment } from '../../src/runtime/environment.ts'
import { RaisedException } from '../../src/runtime/errors.ts'
import { Machine } from '../../src/runtime/machine.ts'
import { ruleOf } from '../../src/runtime/node-rules.ts'
import type { Program } from '../../src/runtime/program.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { Random } from '../random-graphs/random.ts'

/** Numbers of the first two tensors and the two trip counts, then the conditions. */
export type FlowInputs = readonly number[]

/** Some ways through a graph of `flowText`. */
export function inputsOf(seed: number): FlowInputs[] {
  const random = new Random(seed + 1)
  const once = (): number[] => [
    2 + random.below(5),
    3 + random.below(5),
    random.below(3),
    random.below(4),
    ...Array.from({ length: 4 }, () => random.below(2)),
  ]
  return Array.from({ length: 8 }, once)
}

export interface CountedRun {
  /** The numbers that come out and what has become of the inputs; or that the run raised. */
  readonly outputs: readonly unknown[]
  readonly evaluations: number
}

/** Runs a graph and counts how often it evaluates the chosen nodes. */
export class CountedGraph {
  readonly #program: Program
  #evaluations = 0

  constructor(graph: Graph, isCounted: (node: Node) => boolean) {
    this.#program = compileProgram(graph, (node) => {
      const rule = ruleOf(node)
      if (!isCounted(node)) return rule
      return (args, machine) => {
        this.#evaluations++
        return rule(args, machine)
      }
    })
  }

  run(inputs: FlowInputs): CountedRun {
    const printed: string[] = []
    const values = inputs.map(valueOf)
    const machine = new Machine(createEnvironment({ print: (text) => printed.push(text) }))
    this.#evaluations = 0
    try {
      const results = machine.runProgram(this.#program, values)
      const outputs = [...results, ...values.slice(0, 2), printed].map(plain)
      return { outputs, evaluations: this.#evaluations }
    } catch (error) {
      if (!(error instanceof RaisedException)) throw error
      return { outputs: ['raised', printed], evaluations: this.#evaluations }
    }
  }
}

function valueOf(number: number, i: number): IValue {
  if (i < 2) return scalar(number)
  return i < 4 ? number : number === 1
}

function scalar(number: number): Tensor {
  return Tensor.from('float64', [1, 1], [number])
}

function plain(value: unknown): unknown {
  return value instanceof Tensor ? value.data[value.storageOffset] : value
}
