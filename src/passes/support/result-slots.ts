import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Block, Node, Value } from '../../ir/graph.ts'
import type { Type } from '../../ir/types.ts'
import { resultOf, valueOfResult, type Result } from './merged-results.ts'

/** A new output of a condition or a new carried value of a loop. */
interface Slot {
  readonly node: Node
  readonly output: Value
  /** The result that the slot was made for, where ways meet. */
  readonly merge?: Result
  /** What the branches give; what a loop begins with and what a turn gives. */
  readonly values: () => readonly Value[]
}

/** Gives the results, and all those that they come from, their values: with new outputs where ways meet. */
export function materializeResults(edit: GraphEditor, type: Type, results: readonly Result[]): void {
  const needed = new Set(results.map(resultOf))
  for (const result of needed) for (const way of result.ways ?? []) needed.add(resultOf(way))
  const missing = [...needed].filter(({ value }) => value === undefined)
  const slots = new Slots(edit, type)
  for (const result of missing) if (result.at?.merges) slots.merge(result, result.at.merges)
  for (const result of missing) result.value ??= slots.valueOf(result)
  slots.connect()
}

class Slots {
  readonly #edit: GraphEditor
  readonly #type: Type
  readonly #slots: Slot[] = []

  constructor(edit: GraphEditor, type: Type) {
    this.#edit = edit
    this.#type = type
  }

  /** A slot for a result of several ways. */
  merge(result: Result, node: Node): void {
    const output = this.#edit.addOutput(node, this.#type)
    const isLoop = node.kind === 'prim::Loop'
    result.value = isLoop ? this.#edit.addBlockInput(node.block(), this.#type) : output
    this.#slots.push({ node, output, merge: result, values: () => (result.ways ?? []).map(valueOfResult) })
  }

  /** A value for a result of one way, which leaves a loop, or of none. */
  valueOf({ at, ways }: Result): Value {
    const [way] = ways ?? []
    const edge = at?.incoming[0]
    if (way === undefined || edge?.leaves === undefined) return this.#nothing(at?.nodes[0] ?? at?.end)
    const loop = edge.leaves
    const last = resultOf(way)
    return (this.#slots.find((slot) => slot.node === loop && givesOut(slot, last)) ?? this.#carry(loop, last))
      .output
  }

  /** A slot for what the last turn of a loop leaves; nobody sees what it begins with. */
  #carry(loop: Node, last: Result): Slot {
    const output = this.#edit.addOutput(loop, this.#type)
    this.#edit.addBlockInput(loop.block(), this.#type)
    const values = (): Value[] => [this.#nothing(loop), valueOfResult(last)]
    const slot = { node: loop, output, values }
    this.#slots.push(slot)
    return slot
  }

  #nothing(place: Node | undefined): Value {
    const make = (): Value => this.#edit.insert('prim::Uninitialized', [], { outputs: [this.#type] }).output()
    return place ? this.#edit.at(place, make) : make()
  }

  /** Inputs and block outputs, in the order in which the outputs were made. */
  connect(): void {
    for (const { node, values } of this.#slots) {
      const [first, second] = values()
      if (first === undefined || second === undefined) continue
      const [block, other]: readonly Block[] = node.blocks
      if (block === undefined) continue
      if (other) this.#edit.addBlockOutput(block, first)
      else this.#edit.addInput(node, first)
      this.#edit.addBlockOutput(other ?? block, second)
    }
  }
}

/** Whether a loop's slot gives out, when the loop is over, what `last` is in its last test or at the end of its last turn. */
function givesOut({ merge }: Slot, last: Result): boolean {
  if (merge === undefined) return false
  const turn = merge.at?.incoming[1]
  const isTestedFirst = turn?.place !== undefined
  const [, turned] = merge.ways ?? []
  return isTestedFirst ? merge === last : turned !== undefined && resultOf(turned) === last
}
