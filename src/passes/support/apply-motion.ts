import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Node, Value } from '../../ir/graph.ts'
import { typesEqual, unshaped } from '../../ir/type-relations.ts'
import type { Type } from '../../ir/types.ts'
import type { Expression } from './expression-webs.ts'
import { MergedResults, valueOfResult, type Result } from './merged-results.ts'
import type { ResultSource, WebPlan } from './motion-plan.ts'
import { materializeResults } from './result-slots.ts'
import type { FlowBlock, FlowEdge } from './structured-flow.ts'

/** What has taken the place of values that are gone. */
export class Replacements {
  readonly #values = new Map<Value, Value>()

  add(value: Value, by: Value): void {
    this.#values.set(value, by)
  }

  current(value: Value): Value {
    let at = value
    for (let next = this.#values.get(at); next; next = this.#values.get(at)) at = next
    return at
  }
}

/** Inserts the computations of a plan and takes out those that they replace. */
export function applyMotion(edit: GraphEditor, plan: WebPlan, replacements: Replacements): void {
  new Application(edit, plan, replacements).run()
}

class Application {
  readonly #edit: GraphEditor
  readonly #plan: WebPlan
  readonly #replacements: Replacements
  readonly #type: Type
  readonly #inserted = new Map<FlowEdge, Map<Expression, Value>>()
  readonly #results = new MergedResults<Expression>((edge, expression) => this.#wayIn(edge, expression))

  constructor(edit: GraphEditor, plan: WebPlan, replacements: Replacements) {
    this.#edit = edit
    this.#plan = plan
    this.#replacements = replacements
    this.#type = typeOfWeb(plan)
  }

  run(): void {
    for (const [edge, expressions] of this.#plan.insertions)
      for (const expression of expressions) this.#insert(edge, expression)
    const results = this.#plan.replaced.map(({ by, block, expression }) =>
      this.#resultOf(by, block, expression),
    )
    this.#results.resolve()
    materializeResults(this.#edit, this.#type, results)
    const values = results.map(valueOfResult)
    for (const [i, { node }] of this.#plan.replaced.entries())
      this.#replace(node, this.#replacements.current(values[i] ?? node.output()))
  }

  #insert(edge: FlowEdge, behind: Expression): void {
    const isBefore = edge.place === 'end of from'
    const expression = (isBefore && edge.renamed.size > 0 && behind.renamed.get(edge)) || behind
    const { kind, attributes } = expression.template
    const operands = expression.operands.map((operand) => this.#replacements.current(operand))
    const node = this.#edit.create(kind, operands, {
      outputs: [this.#type],
      attributes: Object.fromEntries(attributes),
      range: this.#plan.replaced[0]?.node.range,
    })
    this.#edit.insertBefore(node, isBefore ? edge.from.end : firstOf(edge.to))
    const values = this.#inserted.get(edge) ?? new Map<Expression, Value>()
    this.#inserted.set(edge, values.set(behind, node.output()))
  }

  #wayIn(edge: FlowEdge, behind: Expression): Value | { block: FlowBlock; key: Expression } {
    const inserted = this.#inserted.get(edge)?.get(behind)
    if (inserted) return inserted
    const before = behind.renamed.get(edge) ?? behind
    const source = this.#plan.lastSource(edge.from, before)
    return source === 'entry' ? { block: edge.from, key: before } : this.#valueOf(source, before)
  }

  #resultOf(source: ResultSource, block: FlowBlock, expression: Expression): Result {
    if (source === 'entry') return this.#results.atEntry(block, expression)
    return this.#results.of(this.#valueOf(source, expression))
  }

  #valueOf(source: Node | 'known', { known, operands }: Expression): Value {
    const value = source === 'known' ? (known ?? operands[0]) : source.output()
    return this.#replacements.current(value as Value)
  }

  #replace(node: Node, value: Value): void {
    this.#edit.replaceAllUses(node.output(), value)
    this.#replacements.add(node.output(), value)
    this.#edit.destroy(node)
  }
}

/** Earlier changes may have taken nodes out. */
function firstOf({ nodes, end }: FlowBlock): Node {
  return nodes.find((node) => !node.isDestroyed) ?? end
}

/** What is known of the result on every way: everything, where no merged value is concerned. */
function typeOfWeb({ web }: WebPlan): Type {
  const types = web.flatMap(({ nodes, known }) => [
    ...nodes.map((node) => node.output().type),
    ...(known ? [known.type] : []),
  ])
  const [first] = types
  if (first === undefined) return unshaped({ kind: 'Tensor' })
  if (web.length === 1 && types.every((type) => typesEqual(type, first))) return first
  return commonType(first, types)
}

function commonType(first: Type, types: readonly Type[]): Type {
  if (first.kind !== 'Tensor' || first.layout === undefined) return unshaped(first)
  const { layout } = first
  const isShared = types.every((type) => type.kind === 'Tensor' && type.layout?.equals(layout) === true)
  return isShared ? { kind: 'Tensor', layout } : unshaped(first)
}
