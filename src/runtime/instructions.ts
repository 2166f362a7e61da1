import type { Node } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { ExecutionError } from './errors.ts'
import type { Machine } from './machine.ts'
import type { Evaluate, Frame, Instruction, Register } from './program.ts'

function gather(frame: Frame, from: readonly Register[]): IValue[] {
  const values = new Array<IValue>(from.length)
  for (let i = 0; i < from.length; i++) values[i] = frame.registers[from[i] as Register] as IValue
  return values
}

function release(frame: Frame, registers: readonly Register[]): void {
  for (const register of registers) frame.registers[register] = undefined
}

function store(frame: Frame, values: readonly IValue[], to: readonly Register[]): void {
  for (let i = 0; i < to.length; i++) {
    const register = to[i] as Register
    if (register >= 0) frame.registers[register] = values[i]
  }
}

/** Runs an operator or a structural node. Its last-used inputs are let go before it starts. */
export class Run implements Instruction {
  readonly node: Node
  readonly #evaluate: Evaluate
  readonly #inputs: readonly Register[]
  readonly #outputs: readonly Register[]
  readonly #freed: readonly Register[]

  constructor(
    node: Node,
    evaluate: Evaluate,
    inputs: readonly Register[],
    outputs: readonly Register[],
    freed: readonly Register[],
  ) {
    this.node = node
    this.#evaluate = evaluate
    this.#inputs = inputs
    this.#outputs = outputs
    this.#freed = freed
  }

  execute(frame: Frame, machine: Machine): void {
    const args = gather(frame, this.#inputs)
    release(frame, this.#freed)
    const results = this.#evaluate(args, machine)
    if (results.length !== this.#outputs.length)
      throw new ExecutionError(
        `${this.node.kind} gave ${results.length} values for ${this.#outputs.length} outputs`,
      )
    store(frame, results, this.#outputs)
  }
}

/** Copies registers, all at once; then goes on at `next` if it is set. */
export class Move implements Instruction {
  readonly node: Node
  /** Set when the target is known. */
  next: number | undefined
  readonly #from: readonly Register[]
  readonly #to: readonly Register[]
  readonly #freed: readonly Register[]

  constructor(
    node: Node,
    from: readonly Register[],
    to: readonly Register[],
    freed: readonly Register[] = [],
  ) {
    this.node = node
    this.#from = from
    this.#to = to
    this.#freed = freed
  }

  execute(frame: Frame): void {
    const values = gather(frame, this.#from)
    release(frame, this.#freed)
    store(frame, values, this.#to)
    if (this.next !== undefined) frame.position = this.next
  }
}

/** Goes to `otherwise` unless the condition holds. */
export class Branch implements Instruction {
  readonly node: Node
  otherwise = 0
  readonly #condition: Register

  constructor(node: Node, condition: Register) {
    this.node = node
    this.#condition = condition
  }

  execute(frame: Frame): void {
    if (frame.registers[this.#condition] !== true) frame.position = this.otherwise
  }
}

export interface LoopRegisters {
  readonly condition: Register
  readonly tripCount: Register
  /** Runs from 0; hidden from the graph. */
  readonly counter: Register
  /** The block's own copy of the counter, or -1. */
  readonly index: Register
}

/** Begins a turn of a loop, or goes to `end` when the condition fails or the trip count is reached. */
export class Turn implements Instruction {
  readonly node: Node
  end = 0
  readonly #registers: LoopRegisters

  constructor(node: Node, registers: LoopRegisters) {
    this.node = node
    this.#registers = registers
  }

  execute(frame: Frame): void {
    const { registers } = frame
    const { condition, tripCount, counter, index } = this.#registers
    const turn = registers[counter] as number
    if (registers[condition] !== true || turn >= (registers[tripCount] as number)) {
      frame.position = this.end
      return
    }
    registers[counter] = turn + 1
    if (index >= 0) registers[index] = turn
  }
}
