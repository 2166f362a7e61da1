import type { Graph, Node } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import type { Machine } from './machine.ts'

/** Computes a node's outputs from its inputs. */
export type Evaluate = (args: readonly IValue[], machine: Machine) => readonly IValue[]

/** One value in one run: a number of the frame's register. -1 stands for a result nobody uses. */
export type Register = number

export interface Frame {
  readonly registers: (IValue | undefined)[]
  /** The next instruction. */
  position: number
}

export interface Instruction {
  /** What the program was compiled from; errors are placed there. */
  readonly node: Node
  execute(frame: Frame, machine: Machine): void
}

/** A graph as a list of instructions over registers. */
export interface Program {
  readonly graph: Graph
  /** The graph's revision that was compiled. */
  readonly revision: number
  readonly code: readonly Instruction[]
  /** What the registers hold before the first instruction: the constants. */
  readonly initial: readonly (IValue | undefined)[]
  readonly inputs: readonly Register[]
  readonly outputs: readonly Register[]
}
