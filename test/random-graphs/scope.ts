import type { Random } from './random.ts'

export type Sizes = readonly number[]

/** The types that programs compute with; tensors have sizes that are known when the program is made. */
export type Kind =
  | { readonly kind: 'tensor'; readonly sizes: Sizes }
  | { readonly kind: 'tensors'; readonly sizes: Sizes; readonly least: number }
  | { readonly kind: 'named'; readonly sizes: Sizes }
  | { readonly kind: 'int' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'ints' }

export interface Variable {
  readonly name: string
  readonly type: Kind
  /** Loop counters are not assigned to. */
  readonly fixed?: boolean
}

/** Names of one method: those of the blocks around are seen in a block, not the other way round. */
export class Scope {
  readonly random: Random
  /** The class that `self` is of; undefined in a function. */
  readonly owner: string
  /** Callable by this method. */
  readonly callees: readonly string[]
  readonly depth: number
  readonly #variables: Variable[]
  readonly #counter: { next: number }

  constructor(
    random: Random,
    owner: string,
    callees: readonly string[],
    variables: readonly Variable[] = [],
    parent?: Scope,
  ) {
    this.random = random
    this.owner = owner
    this.callees = callees
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#variables = [...variables]
    this.#counter = parent === undefined ? { next: 0 } : parent.#counter
  }

  inner(): Scope {
    return new Scope(this.random, this.owner, this.callees, this.#variables, this)
  }

  freshName(): string {
    return `v${this.#counter.next++}`
  }

  add(name: string, type: Kind, fixed = false): string {
    this.#variables.push({ name, type, fixed })
    return name
  }

  all<K extends Kind['kind']>(kind: K): (Variable & { readonly type: Extract<Kind, { kind: K }> })[] {
    return this.#variables.filter((variable) => variable.type.kind === kind) as (Variable & {
      readonly type: Extract<Kind, { kind: K }>
    })[]
  }
}

export function sameSizes(a: Sizes, b: Sizes): boolean {
  return a.join() === b.join()
}

/** The sizes of an elementwise result; undefined where they do not fit. */
export function broadcast(a: Sizes, b: Sizes): Sizes | undefined {
  const rank = Math.max(a.length, b.length)
  const sizes: number[] = []
  for (let i = 1; i <= rank; i++) {
    const [left, right] = [a[a.length - i] ?? 1, b[b.length - i] ?? 1]
    if (left !== right && left !== 1 && right !== 1) return undefined
    sizes.unshift(left === 1 ? right : left)
  }
  return sizes
}
