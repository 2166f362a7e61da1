import type { Attribute, Node, Value } from '../../ir/graph.ts'
import { typesEqual, unshaped } from '../../ir/type-relations.ts'
import { valuesEqual } from './node-identity.ts'
import type { FlowBlock, FlowEdge } from './structured-flow.ts'

/** What there is to know about expressions of some kinds. */
export interface ExpressionRules {
  /** Whether the node is to be moved; it must have one output, no effect, and give the same for the same inputs. */
  isCandidate(node: Node): boolean
  /** An operand with which the node gives the same: `x`, for a reorder of a reorder of `x`. */
  simplerOperand?(node: Node, operand: Value): Value | undefined
  /** The result of a node like this one for the operand, if a value holds it already. */
  knownResult?(node: Node, operand: Value): Value | undefined
}

/** An operation on certain values, computed anywhere. */
export interface Expression {
  /** A node of the same kind and attributes, on these operands or others. */
  readonly template: Node
  readonly operands: readonly Value[]
  /** The nodes that compute it, in the order of the graph. */
  readonly nodes: readonly Node[]
  /** Holds the result wherever the operands are defined. */
  readonly known: Value | undefined
  /** What it is in front of edges that rename an operand. */
  readonly renamed: ReadonlyMap<FlowEdge, Expression | undefined>
}

interface MutableExpression extends Expression {
  readonly nodes: Node[]
  readonly renamed: Map<FlowEdge, MutableExpression | undefined>
  readonly web: Web
}

/** Expressions that merged values connect; no other expression has to do with them. */
export type ExpressionWeb = readonly Expression[]

/** The expressions of the flow's candidates, and those that they are on the ways into merged values. */
export function expressionWebs(flow: readonly FlowBlock[], rules: ExpressionRules): ExpressionWeb[] {
  const table = new ExpressionTable(flow, rules)
  for (const block of flow) for (const node of block.nodes) if (rules.isCandidate(node)) table.addNode(node)
  table.followNames()
  return table.webs()
}

class ExpressionTable {
  readonly #rules: ExpressionRules
  readonly #expressions: MutableExpression[] = []
  readonly #operations = new Map<string, Operation[]>()
  readonly #renamings = new Map<Value, FlowEdge[]>()
  readonly #limit: number

  constructor(flow: readonly FlowBlock[], rules: ExpressionRules) {
    this.#rules = rules
    for (const { incoming } of flow)
      for (const edge of incoming)
        for (const value of edge.renamed.keys()) {
          const edges = this.#renamings.get(value)
          if (edges) edges.push(edge)
          else this.#renamings.set(value, [edge])
        }
    this.#limit = 1000 + 2 * this.#renamings.size
  }

  addNode(node: Node): void {
    const expression = this.#expression(this.#operation(node), node.inputs)
    expression?.nodes.push(node)
  }

  /** Expressions that are found on the way are followed in turn. */
  followNames(): void {
    for (const expression of this.#expressions) {
      const edges = new Set(expression.operands.flatMap((operand) => this.#renamings.get(operand) ?? []))
      for (const edge of edges) {
        const before = this.#before(expression, edge)
        expression.renamed.set(edge, before)
        if (before) unite(before.web, expression.web)
      }
    }
  }

  webs(): ExpressionWeb[] {
    const webs = new Map<Web, MutableExpression[]>()
    for (const expression of this.#expressions) {
      const root = rootOf(expression.web)
      const web = webs.get(root)
      if (web) web.push(expression)
      else webs.set(root, [expression])
    }
    return [...webs.values()]
  }

  #before({ template, operands }: MutableExpression, edge: FlowEdge): MutableExpression | undefined {
    const before: Value[] = []
    for (const operand of operands) {
      const value = edge.renamed.has(operand) ? edge.renamed.get(operand) : operand
      if (value === undefined || !typesEqual(unshaped(value.type), unshaped(operand.type))) return undefined
      before.push(value)
    }
    return this.#expression(this.#operation(template), before)
  }

  #operation(node: Node): Operation {
    let sameKind = this.#operations.get(node.kind)
    if (sameKind === undefined) this.#operations.set(node.kind, (sameKind = []))
    let operation = sameKind.find(({ template }) => isSameOperation(template, node))
    if (operation === undefined) sameKind.push((operation = { template: node, expressions: new Map() }))
    return operation
  }

  /** Undefined when there are too many, as pairs of merged values may make them. */
  #expression({ template, expressions }: Operation, inputs: readonly Value[]): MutableExpression | undefined {
    const operands = inputs.length === 1 ? inputs.map((input) => this.#simplest(template, input)) : inputs
    const key = operands.map(({ unique }) => unique).join()
    let expression = expressions.get(key)
    if (expression === undefined && expressions.size < this.#limit) {
      const [operand] = operands
      const known =
        operand && operands.length === 1 ? this.#rules.knownResult?.(template, operand) : undefined
      expression = { template, operands, nodes: [], known, renamed: new Map(), web: {} }
      expressions.set(key, expression)
      this.#expressions.push(expression)
    }
    return expression
  }

  #simplest(template: Node, operand: Value): Value {
    let simplest = operand
    for (let next: Value | undefined = operand; next; next = this.#rules.simplerOperand?.(template, next))
      simplest = next
    return simplest
  }
}

interface Operation {
  readonly template: Node
  readonly expressions: Map<string, MutableExpression>
}

function isSameOperation(a: Node, b: Node): boolean {
  if (a.inputs.length !== b.inputs.length || a.attributes.size !== b.attributes.size) return false
  if (!typesEqual(unshaped(a.output().type), unshaped(b.output().type))) return false
  return [...a.attributes].every(([name, attribute]) => isSameAttribute(attribute, b.attributes.get(name)))
}

function isSameAttribute(a: Attribute, b: Attribute | undefined): boolean {
  return a.kind === 'value' && b?.kind === 'value' && valuesEqual(a.value, b.value)
}

/** A set of expressions, as a tree that leads to its root. */
interface Web {
  parent?: Web
}

function rootOf(web: Web): Web {
  let root = web
  while (root.parent) {
    if (root.parent.parent) root.parent = root.parent.parent
    root = root.parent
  }
  return root
}

function unite(a: Web, b: Web): void {
  const [left, right] = [rootOf(a), rootOf(b)]
  if (left !== right) left.parent = right
}
