import { Random } from '../random-graphs/random.ts'

/**
 * `acyclic`: conditions and writes only, and expressions of the graph's inputs only. `reorders`: reorders between two
 * layouts, of tensors of one number and two axes, in the place of `aten::neg` and `aten::mul`.
 */
export type FlowKind = 'any' | 'acyclic' | 'reorders'

/**
 * The text of a random graph of conditions, loops, writes, prints and raises around `aten::neg` and `aten::mul`, on
 * tensors of one number: two, two trip counts and four conditions come in.
 */
export function flowText(seed: number, kind: FlowKind = 'any'): string {
  return new FlowGenerator(seed, kind).program()
}

const plainMatrix = 'Double(1, 1, strides=[1, 1], requires_grad=0, device=cpu)'

class FlowGenerator {
  readonly #random: Random
  readonly #kind: FlowKind
  readonly #lines: string[] = []
  /** Of sums and inputs: what reorders must know to be cancelled. */
  readonly #plain: string
  readonly #writes: boolean
  #count = 0
  #left: number

  constructor(seed: number, kind: FlowKind) {
    this.#random = new Random(seed)
    this.#kind = kind
    this.#plain = kind === 'reorders' ? plainMatrix : 'Tensor'
    this.#writes = kind !== 'reorders' || this.#random.chance(0.3)
    this.#left = 6 + this.#random.below(22)
  }

  program(): string {
    const scope = ['%x', '%y']
    this.#body(scope, 1)
    const result = this.#sum(scope.slice(-3), 1)
    const second = this.#kind === 'reorders' ? '%x' : this.#random.pick(scope)
    const tensors = `%x : ${this.#plain}, %y : ${this.#plain}`
    const inputs = `${tensors}, %n : int, %m : int, %c0 : bool, %c1 : bool, %c2 : bool, %c3 : bool`
    return [
      `graph(${inputs}):`,
      '  %one : int = prim::Constant[value=1]()',
      '  %three : int = prim::Constant[value=3]()',
      '  %true : bool = prim::Constant[value=1]()',
      '  %s : str = prim::Constant[value="no"]()',
      '  %none : NoneType = prim::Constant()',
      ...this.#lines,
      this.#kind === 'acyclic' ? `  return (${result})` : `  return (${result}, ${second})`,
    ].join('\n')
  }

  #line(depth: number, text: string): void {
    this.#lines.push(`${'  '.repeat(depth)}${text}`)
  }

  #name(): string {
    return `%v${this.#count++}`
  }

  /** Adds to the scope what it computes. */
  #body(scope: string[], depth: number): void {
    const length = 1 + this.#random.below(5)
    for (let i = 0; i < length && this.#left > 0; i++) this.#statement(scope, depth)
  }

  #statement(scope: string[], depth: number): void {
    this.#left--
    const nested = depth < 9 ? 1 : 0
    const cyclic = this.#kind === 'acyclic' ? 0 : 1
    this.#random.weighted<() => void>([
      [6, () => this.#compute(scope, depth)],
      [2, () => scope.push(this.#sum(this.#some(scope), depth))],
      [2 * nested, () => this.#condition(scope, depth)],
      [1.5 * nested * cyclic, () => this.#loop(scope, depth)],
      [this.#writes ? 0.7 : 0, () => this.#write(scope, depth)],
      [0.3 * cyclic, () => this.#print(scope, depth)],
      [0.15 * cyclic, () => depth > 1 && this.#line(depth, ' = prim::RaiseException(%s, %none)')],
    ])()
  }

  #some(scope: readonly string[]): string[] {
    return Array.from({ length: 2 }, () => this.#random.pick(scope))
  }

  #sum([first = '%x', ...others]: readonly string[], depth: number): string {
    let sum = first
    for (const other of others) {
      const name = this.#name()
      this.#line(depth, `${name} : ${this.#plain} = aten::add(${sum}, ${other}, %one)`)
      sum = name
    }
    return sum
  }

  /** What is computed last is used soon, so that results matter. */
  #compute(scope: string[], depth: number): void {
    const operand = (): string =>
      this.#kind === 'acyclic' || this.#random.chance(0.4)
        ? this.#random.pick(['%x', '%y'])
        : this.#random.pick(scope)
    const name = this.#name()
    this.#line(depth, `${name} : Tensor = ${this.#call(operand)}`)
    if (this.#kind === 'acyclic' || this.#random.chance(0.7))
      scope.push(this.#sum([name, this.#random.pick(scope)], depth))
    else scope.push(name)
  }

  #call(operand: () => string): string {
    const isFirst = this.#random.chance(0.7)
    if (this.#kind === 'reorders') return `layout::reorder[to="${isFirst ? 'aB8b' : 'ab'}"](${operand()})`
    return isFirst ? `aten::neg(${operand()})` : `aten::mul(${operand()}, ${operand()})`
  }

  #print(scope: readonly string[], depth: number): void {
    const printed = this.#kind === 'reorders' ? '%x' : this.#random.pick(scope)
    this.#line(depth, ` = prim::Print(${printed})`)
  }

  #write(scope: readonly string[], depth: number): void {
    const target =
      this.#kind !== 'any'
        ? this.#random.pick(['%x', '%y'])
        : this.#random.pick(['%x', this.#random.pick(scope)])
    const view = this.#name()
    this.#line(depth, `${view} : Tensor = aten::alias(${target})`)
    const written = this.#random.chance(0.5) ? view : target
    this.#line(depth, `${this.#name()} : Tensor = aten::add_(${written}, %one, %one)`)
  }

  #condition(scope: string[], depth: number): void {
    const outputs = Array.from({ length: this.#random.below(3) }, () => this.#name())
    const condition = `%c${this.#random.below(4)}`
    const typed = outputs.map((name) => `${name} : Tensor`).join(', ')
    this.#line(depth, `${typed} = prim::If(${condition})`)
    for (const i of [0, 1]) {
      this.#line(depth + 1, `block${i}():`)
      const inner = [...scope]
      if (this.#random.chance(0.8)) this.#body(inner, depth + 2)
      this.#line(depth + 2, `-> (${outputs.map(() => this.#recent(inner)).join(', ')})`)
    }
    scope.push(...outputs)
  }

  #recent(scope: readonly string[]): string {
    return this.#random.chance(0.6) ? this.#random.pick(scope.slice(-2)) : this.#random.pick(scope)
  }

  #loop(scope: string[], depth: number): void {
    const carried = Array.from({ length: this.#random.below(3) }, () => this.#name())
    const outputs = carried.map(() => this.#name())
    const trips = this.#random.pick(['%n', '%m', '%one', '%three'])
    const first = this.#random.chance(0.8) ? '%true' : `%c${this.#random.below(4)}`
    const initial = carried.map(() => this.#random.pick(scope))
    const typed = outputs.map((name) => `${name} : Tensor`).join(', ')
    this.#line(depth, `${typed} = prim::Loop(${[trips, first, ...initial].join(', ')})`)
    const inputs = [`${this.#name()} : int`, ...carried.map((name) => `${name} : Tensor`)]
    this.#line(depth + 1, `block0(${inputs.join(', ')}):`)
    const inner = [...scope, ...carried]
    this.#body(inner, depth + 2)
    const next = this.#random.chance(0.8) ? '%true' : `%c${this.#random.below(4)}`
    this.#line(depth + 2, `-> (${[next, ...carried.map(() => this.#recent(inner))].join(', ')})`)
    scope.push(...outputs)
  }
}
