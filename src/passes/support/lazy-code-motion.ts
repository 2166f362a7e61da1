import { BitRows, bitsOf, hasBit, setBit } from './bit-rows.ts'
import type { FlowBlock, FlowEdge } from './structured-flow.ts'

/** Which of some expressions, numbered from 0, are computed where. The rows are those of the flow, from its first block on. */
export interface MotionProblem {
  /**
   * Consecutive blocks: nothing from behind is needed and nothing from before is known, and all ways pass the first
   * and the last one.
   */
  readonly flow: readonly FlowBlock[]
  readonly expressions: number
  /** Block × expression: computed in the block from what its operands are where the block begins. */
  readonly computedFirst: BitRows
  /** Block × expression: computed in the block, or known there, and the operands are the same where it ends. */
  readonly computedLast: BitRows
  /** Block × expression: the block gives or changes an operand. */
  readonly killed: BitRows
  /** Pairs: what is the first expression behind the edge, is the second one in front of it; -1 for none. */
  readonly renamed: ReadonlyMap<FlowEdge, readonly (readonly [behind: number, before: number])[]>
}

export interface Insertion {
  readonly edge: FlowEdge
  /** The expression behind the edge; at the end of `from` it may be another. */
  readonly expression: number
}

export interface Motion {
  readonly insertions: readonly Insertion[]
  /** Block × expression: the first computation of the block is not needed any more. */
  readonly redundant: BitRows
}

/**
 * Where to compute expressions so that no path computes more than before and no placement that is safe computes less,
 * and there as late as possible: lazy code motion (Knoop, Rüthing and Steffen, "Lazy Code Motion", PLDI 1992; "Optimal
 * Code Motion: Theory and Practice", TOPLAS 16(4), 1994), by the equations over edges of Drechsler and Stadel ("A
 * Variation of Knoop, Rüthing and Steffen's Lazy Code Motion", SIGPLAN Notices 28(5), 1993). Values are in SSA form:
 * an expression of a merged value is, on each way in, one of the value that comes that way (VanDrunen and Hosking,
 * "Value-Based Partial Redundancy Elimination", CC 2004).
 *
 * Where an edge would need a computation and has no place for one, the block behind it keeps what it has.
 */
export function lazyCodeMotion(problem: MotionProblem): Motion {
  for (let attempt = 0; ; attempt++) {
    const solver = new Solver(problem)
    const motion = solver.solve()
    const impossible = motion.insertions.filter((insertion) => !isPossible(problem, insertion))
    if (impossible.length === 0) return motion
    for (const { edge, expression } of impossible) {
      // After some attempts the expression is left alone everywhere; that ends it for certain.
      const blocks = attempt < patience ? [edge.to] : problem.flow
      for (const block of blocks) keepIn(problem, block, expression)
    }
  }
}

/** Rounds after which an expression that has no place on some edge is given up. */
const patience = 6

/** The operands count as changed where the block begins. */
function keepIn(problem: MotionProblem, block: FlowBlock, expression: number): void {
  const row = rowOf(problem.flow, block)
  problem.killed.set(row, expression)
  problem.computedFirst.set(row, expression, false)
}

/** The place of a block among consecutive ones. */
export function rowOf([first]: readonly FlowBlock[], { index }: FlowBlock): number {
  return index - (first?.index ?? 0)
}

function isPossible({ renamed }: MotionProblem, { edge, expression }: Insertion): boolean {
  if (edge.place === undefined) return false
  return renamed.get(edge)?.every(([behind, before]) => behind !== expression || before !== -1) ?? true
}

class Solver {
  readonly #problem: MotionProblem
  readonly #flow: readonly FlowBlock[]
  readonly #width: number
  /** Computed on every way from the beginning (or the end) of the block. */
  readonly #neededIn: BitRows
  readonly #neededOut: BitRows
  /** Computed on every way to the end of the block. */
  readonly #knownOut: BitRows
  /** May be computed in the block or behind it, and need not be computed before. */
  readonly #laterIn: BitRows

  constructor(problem: MotionProblem) {
    this.#problem = problem
    this.#flow = problem.flow
    const rows = (): BitRows => new BitRows(problem.flow.length, problem.expressions, true)
    this.#width = problem.computedFirst.width
    this.#neededIn = rows()
    this.#neededOut = rows()
    this.#knownOut = rows()
    this.#laterIn = rows()
  }

  solve(): Motion {
    this.#repeat([...this.#flow].reverse(), (block) => this.#updateNeeded(block))
    this.#repeat(this.#flow, (block) => this.#updateKnown(block))
    this.#repeat(this.#flow, (block) => this.#updateLater(block))
    return { insertions: [...this.#insertions()], redundant: this.#redundant() }
  }

  #row(block: FlowBlock): number {
    return rowOf(this.#flow, block)
  }

  /** Nothing comes into the first block. */
  #incoming(block: FlowBlock): readonly FlowEdge[] {
    return block === this.#flow[0] ? [] : block.incoming
  }

  #repeat(blocks: readonly FlowBlock[], update: (block: FlowBlock) => boolean): void {
    for (let changed = true; changed;) {
      changed = false
      for (const block of blocks) changed = update(block) || changed
    }
  }

  #updateNeeded(block: FlowBlock): boolean {
    const index = this.#row(block)
    const ways = block.outgoing
      .filter((edge) => !edge.isOneWay && this.#row(edge.to) < this.#flow.length)
      .map((edge) => this.#backward(edge, this.#neededIn.row(this.#row(edge.to))))
    const isDeadEnd = ways.length < block.outgoing.length || ways.length === 0
    this.#neededOut.update(index, (i) => (isDeadEnd ? 0 : intersection(ways, i)))
    const out = this.#neededOut.row(index)
    const first = this.#problem.computedFirst.row(index)
    const killed = this.#problem.killed.row(index)
    return this.#neededIn.update(index, (i) => word(first, i) | (word(out, i) & ~word(killed, i)))
  }

  #updateKnown(block: FlowBlock): boolean {
    const index = this.#row(block)
    const ways = this.#incoming(block).map((edge) =>
      this.#forward(edge, this.#knownOut.row(this.#row(edge.from))),
    )
    const last = this.#problem.computedLast.row(index)
    const killed = this.#problem.killed.row(index)
    return this.#knownOut.update(index, (i) => {
      const known = index === 0 ? 0 : intersection(ways, i)
      return word(last, i) | (known & ~word(killed, i))
    })
  }

  #updateLater(block: FlowBlock): boolean {
    const index = this.#row(block)
    const incoming = this.#incoming(block)
    if (incoming.length === 0) return this.#laterIn.update(index, (i) => word(this.#neededIn.row(index), i))
    const ways = incoming.map((edge) => this.#later(edge))
    return this.#laterIn.update(index, (i) => intersection(ways, i))
  }

  /** What may be computed on the edge or later, and not earlier: it is needed there, and not known. */
  #later(edge: FlowEdge): Uint32Array {
    const index = this.#row(edge.from)
    const needed = this.#neededIn.row(this.#row(edge.to))
    const killed = this.#problem.killed.row(index)
    const first = this.#problem.computedFirst.row(index)
    const [out, later] = [this.#neededOut.row(index), this.#laterIn.row(index)]
    const known = this.#forward(edge, this.#knownOut.row(index))
    const earlier = this.#forward(
      edge,
      out.map((bits, i) => bits & ~word(killed, i)),
    )
    const delayed = this.#forward(
      edge,
      later.map((bits, i) => bits & ~word(first, i)),
    )
    return needed.map((bits, i) => bits & ((~word(known, i) & ~word(earlier, i)) | word(delayed, i)))
  }

  *#insertions(): Generator<Insertion, void, undefined> {
    for (const block of this.#flow)
      for (const edge of this.#incoming(block)) {
        const later = this.#later(edge)
        const inside = this.#laterIn.row(this.#row(block))
        for (const expression of bitsOf(later.map((bits, i) => bits & ~word(inside, i))))
          if (expression < this.#problem.expressions) yield { edge, expression }
      }
  }

  #redundant(): BitRows {
    const { computedFirst, expressions } = this.#problem
    const redundant = new BitRows(this.#flow.length, expressions)
    for (const index of this.#flow.keys())
      redundant.update(index, (i) => word(computedFirst.row(index), i) & ~word(this.#laterIn.row(index), i))
    return redundant
  }

  /** Facts about the end of `from` as facts about the beginning of `to`. */
  #forward(edge: FlowEdge, facts: Uint32Array): Uint32Array {
    const renamed = this.#problem.renamed.get(edge)
    if (renamed === undefined) return facts
    const result = facts.slice()
    for (const [behind, before] of renamed) setBit(result, behind, before !== -1 && hasBit(facts, before))
    return result
  }

  /** Needs at the beginning of `to` as needs at the end of `from`. */
  #backward(edge: FlowEdge, needs: Uint32Array): Uint32Array {
    const renamed = this.#problem.renamed.get(edge)
    if (renamed === undefined) return needs
    const result = needs.slice()
    for (const [behind] of renamed) setBit(result, behind, false)
    for (const [behind, before] of renamed) if (before !== -1 && hasBit(needs, behind)) setBit(result, before)
    return result.subarray(0, this.#width)
  }
}

function word(words: Uint32Array, i: number): number {
  return words[i] ?? 0
}

/** Everything, for no ways at all: what is never reached may be taken to be as one likes. */
function intersection(ways: readonly Uint32Array[], i: number): number {
  let bits = 0xffffffff
  for (const way of ways) bits &= word(way, i)
  return bits
}
