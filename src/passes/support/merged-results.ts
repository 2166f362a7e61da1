import { invariant } from '../../errors.ts'
import type { Block, Value } from '../../ir/graph.ts'
import type { FlowBlock, FlowEdge } from './structured-flow.ts'

/** What a value is on the ways into a block, or one value. */
export interface Result {
  readonly at?: FlowBlock
  value?: Value
  /** One for each way in, once they are known. */
  ways?: readonly Result[]
  /** The result that this one is found to be. */
  same?: Result
}

/**
 * Finds which value holds a result where several ways meet, with a new output of a condition or a new carried value of
 * a loop where no single one does: the construction of Braun, Buchwald, Hack, Leißa, Mallon and Zwinkau ("Simple and
 * Efficient Construction of Static Single Assignment Form", CC 2013), with lists in the place of recursion.
 */
export class MergedResults<Key> {
  readonly #wayIn: (edge: FlowEdge, key: Key) => Value | { block: FlowBlock; key: Key }
  readonly #values = new Map<Value, Result>()
  readonly #entries = new Map<FlowBlock, Map<Key, Result>>()
  readonly #pending: { block: FlowBlock; key: Key; result: Result }[] = []
  readonly #merged: Result[] = []

  /**
   * @param wayIn the value that an edge brings for a key; or the block where it comes from, and its key there, when that
   * block does not change it
   */
  constructor(wayIn: (edge: FlowEdge, key: Key) => Value | { block: FlowBlock; key: Key }) {
    this.#wayIn = wayIn
  }

  of(value: Value): Result {
    let result = this.#values.get(value)
    if (result === undefined) this.#values.set(value, (result = { value }))
    return result
  }

  /** The result at the beginning of the block. */
  atEntry(block: FlowBlock, key: Key): Result {
    let entries = this.#entries.get(block)
    if (entries === undefined) this.#entries.set(block, (entries = new Map<Key, Result>()))
    let result = entries.get(key)
    if (result === undefined) {
      entries.set(key, (result = { at: block }))
      this.#pending.push({ block, key, result })
    }
    return result
  }

  /** Follows every result that was asked for to where it comes from. */
  resolve(): void {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) this.#follow(next)
    while (this.#merged.map((result) => this.#simplify(result)).includes(true));
  }

  #follow({ block, key, result }: { block: FlowBlock; key: Key; result: Result }): void {
    invariant(block.index > 0, 'a result is used that no way computes')
    this.#merged.push(result)
    result.ways = block.incoming.map((edge) => {
      const from = this.#wayIn(edge, key)
      return 'block' in from ? this.atEntry(from.block, from.key) : this.of(from)
    })
  }

  /** Whether the result is found to be another one. */
  #simplify(result: Result): boolean {
    if (result.same) return false
    const others = new Set((result.ways ?? []).map(resultOf))
    others.delete(result)
    const [other] = others
    if (other === undefined || others.size > 1) return false
    const loop = result.at?.incoming[0]?.leaves
    if (loop && isMadeIn(other, loop.block())) return false
    result.same = other
    return true
  }
}

/** The result itself or the one that it is found to be. */
export function resultOf(result: Result): Result {
  let at = result
  while (at.same) at = at.same
  return at
}

function isMadeIn({ at, value }: Result, body: Block): boolean {
  let block = at?.owner ?? value?.node.owningBlock
  while (block !== undefined && block !== body) block = block.owningNode?.owningBlock
  return block === body
}

/** The value of a settled result. */
export function valueOfResult(result: Result): Value {
  const { value } = resultOf(result)
  invariant(value !== undefined, 'a result was not settled')
  return value
}
