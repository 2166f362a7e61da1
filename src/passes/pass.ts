import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Graph, Node } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import type { Operator } from '../ops/operator.ts'

/** What a pass may ask of the stages around it. */
export interface PassServices {
  /** Runs a node on constant inputs; undefined if it cannot be run, or not now. */
  evaluate(node: Node, inputs: readonly IValue[]): readonly IValue[] | undefined
  /** The operator's schema; undefined for control flow, tuples and the like, and for unknown operators. */
  schemaOf(node: Node): FunctionSchema | undefined
  /** The operator of a schema key such as `aten::add.Tensor`, with its traits. */
  findOperator(key: string): Operator | undefined
}

export interface PassContext extends PassServices {
  /**
   * The only way to an editor; its insert point is in front of `at`.
   *
   * @param why what is done, in a few words; shown by `--explain` and the pass log
   * @returns false, without a change, once `--stop-after <pass>=<n>` is used up
   */
  rewrite(at: Node, why: string, change: (edit: GraphEditor) => void): boolean
  /** Says why a candidate was left alone. */
  miss(at: Node, why: string): void
}

export interface Pass {
  /** File name, `--passes` word, name of the textual cases and key in reports, all the same. */
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Names of the passes that must have run before in the same list. */
  readonly needs?: readonly string[]
  /** Set when results may differ in the last bits. */
  readonly changesNumerics?: boolean
  run(graph: Graph, cx: PassContext): void
}

export function definePass(pass: Pass): Pass {
  return pass
}

/** Passes that run one after the other, again and again, until none of them changes anything. */
export interface RepeatedPasses {
  readonly repeat: readonly Pass[]
  /** Rounds after which it ends in any case. */
  readonly atMost: number
}

/** What a pipeline is made of. */
export type PipelineStep = Pass | RepeatedPasses

/** Far more rounds than a chain of operators that fold into one another one by one is long. */
const manyRounds = 100

export function repeatPasses(repeat: readonly Pass[], atMost = manyRounds): RepeatedPasses {
  return { repeat, atMost }
}

/** The passes of one step, each once. */
export function passesOf(step: PipelineStep): readonly Pass[] {
  return 'repeat' in step ? step.repeat : [step]
}
