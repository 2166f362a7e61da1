import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import { Branch, Move, Run, Turn } from './instructions.ts'
import { lastUses } from './liveness.ts'
import { ruleOf } from './node-rules.ts'
import type { Evaluate, Instruction, Program, Register } from './program.ts'

const programs = new WeakMap<Graph, Program>()

/** Makes the evaluation of a node. */
export type RuleFinder = (node: Node) => Evaluate

/** A program of its own for whoever evaluates some nodes in another way than the reference kernels. */
export function compileProgram(graph: Graph, rules: RuleFinder): Program {
  return new Compiler(graph, rules).compile()
}

/** The graph as a program; compiled when first asked for, and again after the graph has changed. */
export function programOf(graph: Graph): Program {
  let program = programs.get(graph)
  if (program?.revision !== graph.revision) programs.set(graph, (program = compileProgram(graph, ruleOf)))
  return program
}

class Compiler {
  readonly #graph: Graph
  readonly #rules: RuleFinder
  readonly #code: Instruction[] = []
  readonly #initial: (IValue | undefined)[] = []
  readonly #registers = new Map<Value, Register>()
  readonly #dying: ReadonlyMap<Node, readonly Value[]>

  constructor(graph: Graph, rules: RuleFinder) {
    this.#graph = graph
    this.#rules = rules
    this.#dying = lastUses(graph)
  }

  compile(): Program {
    const { block } = this.#graph
    const inputs = block.inputs.map((value) => this.#registerOf(value))
    this.#compileNodes(block)
    return {
      graph: this.#graph,
      revision: this.#graph.revision,
      code: this.#code,
      initial: this.#initial,
      inputs,
      outputs: block.outputs.map((value) => this.#registerOf(value)),
    }
  }

  #compileNodes(block: Block): void {
    for (const node of block.nodes()) {
      if (node.kind === 'prim::Constant') this.#constant(node)
      else if (node.kind === 'prim::If') this.#branch(node)
      else if (node.kind === 'prim::Loop') this.#loop(node)
      else this.#run(node)
    }
  }

  #newRegister(value?: IValue): Register {
    return this.#initial.push(value) - 1
  }

  #registerOf(value: Value): Register {
    let register = this.#registers.get(value)
    if (register === undefined) this.#registers.set(value, (register = this.#newRegister()))
    return register
  }

  #inputsOf(node: Node): Register[] {
    return node.inputs.map((value) => this.#registerOf(value))
  }

  #resultsOf(values: readonly Value[]): Register[] {
    return values.map((value) => (value.uses.length === 0 ? -1 : this.#registerOf(value)))
  }

  /** Registers that are free once the node has run. */
  #freedBy(node: Node): Register[] {
    return (this.#dying.get(node) ?? []).map((value) => this.#registerOf(value))
  }

  #add<I extends Instruction>(instruction: I): I {
    this.#code.push(instruction)
    return instruction
  }

  #constant(node: Node): void {
    this.#registers.set(node.output(), this.#newRegister(node.attribute('value') ?? null))
  }

  #run(node: Node): void {
    const results = this.#resultsOf(node.outputs)
    this.#add(new Run(node, this.#rules(node), this.#inputsOf(node), results, this.#freedBy(node)))
  }

  #branch(node: Node): void {
    const results = this.#resultsOf(node.outputs)
    const branch = this.#add(new Branch(node, this.#registerOf(node.input())))
    const leaveThen = this.#body(node.block(0), node, results)
    branch.otherwise = this.#code.length
    const leaveElse = this.#body(node.block(1), node, results)
    leaveThen.next = leaveElse.next = this.#code.length
    this.#free(node)
  }

  #body(block: Block, owner: Node, results: readonly Register[]): Move {
    this.#compileNodes(block)
    const outputs = block.outputs.map((value) => this.#registerOf(value))
    return this.#add(new Move(owner, outputs, results, this.#freedBy(block.returnNode)))
  }

  #loop(node: Node): void {
    const [tripCount, ...initial] = this.#inputsOf(node)
    const body = node.block()
    const [index, ...carried] = body.inputs
    const state = [this.#newRegister(), ...carried.map((value) => this.#registerOf(value))]
    const counter = this.#newRegister()
    const zero = this.#newRegister(0)
    this.#add(new Move(node, [...initial, zero], [...state, counter]))
    const start = this.#code.length
    const turn = this.#add(
      new Turn(node, {
        condition: state[0] as Register,
        tripCount: tripCount as Register,
        counter,
        index: index && index.uses.length > 0 ? this.#registerOf(index) : -1,
      }),
    )
    this.#body(body, node, state).next = start
    turn.end = this.#code.length
    const left = carried.map((value) => this.#registerOf(value))
    this.#add(new Move(node, left, this.#resultsOf(node.outputs), left))
    this.#free(node)
  }

  /** Lets go of what a node with blocks used last. */
  #free(node: Node): void {
    const freed = this.#freedBy(node)
    if (freed.length > 0) this.#add(new Move(node, [], [], freed))
  }
}
