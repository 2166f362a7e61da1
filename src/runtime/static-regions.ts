import { GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Block, type Node, type Value } from '../ir/graph.ts'

/** The node that stands for a region; its graph is the attribute `Subgraph`. */
export const regionKind = 'prim::StaticSubgraph'

/**
 * A copy of the graph in which each longest run of neighbouring nodes without an excluded one, nested ones counted, is
 * one `prim::StaticSubgraph` node. Constants that it uses are in it, so that weights can be packed; numbers that only
 * numbers are made of, such as counters of loops, are not. Runs that compute no tensor stay as they are.
 */
export function groupStaticNodes(graph: Graph, excluded: ReadonlySet<Node>): Graph {
  const result = new Graph()
  new Grouper(result, excluded).copyBlock(graph.block, result.block)
  return result
}

/** The graph of a region's node. */
export function regionOf(node: Node): Graph | undefined {
  const attribute = node.kind === regionKind ? node.attributes.get('Subgraph') : undefined
  return attribute?.kind === 'graph' ? attribute.graph : undefined
}

class Grouper {
  readonly #edit: GraphEditor
  readonly #excluded: ReadonlySet<Node>
  readonly #values = new Map<Value, Value>()

  constructor(graph: Graph, excluded: ReadonlySet<Node>) {
    this.#edit = new GraphEditor(graph)
    this.#excluded = excluded
  }

  copyBlock(from: Block, to: Block): void {
    for (const input of from.inputs) this.#know(input, this.#edit.addBlockInput(to))
    this.#edit.at(to, () => {
      let run: Node[] = []
      for (const node of from.nodes())
        if (this.#mayJoin(node)) run.push(node)
        else {
          this.#flush(run)
          run = []
          this.#copyNode(node)
        }
      this.#flush(run)
    })
    for (const output of from.outputs) this.#edit.addBlockOutput(to, this.#mapped(output))
  }

  #know(original: Value, copy: Value): void {
    this.#edit.copyMetadata(original, copy)
    this.#values.set(original, copy)
  }

  #mapped(value: Value): Value {
    return this.#values.get(value) as Value
  }

  /** Objects stay outside: what they hold may change. */
  #mayJoin(node: Node): boolean {
    if (this.#excluded.has(node)) return false
    if (
      [...node.inputs, ...node.outputs].some(({ type }) => type.kind === 'Class' || type.kind === 'Interface')
    )
      return false
    return node.blocks.every((block) => [...block.nodes()].every((inner) => this.#mayJoin(inner)))
  }

  #flush(run: readonly Node[]): void {
    if (run.some(computesTensor)) this.#insertRegion(run)
    else for (const node of run) this.#copyNode(node)
  }

  #copyNode(node: Node): void {
    const copy = this.#edit.create(
      node.kind,
      node.inputs.map((value) => this.#mapped(value)),
      {
        outputs: node.outputs.map(({ type }) => type),
        attributes: Object.fromEntries(node.attributes),
        range: node.range,
        schema: node.schema,
      },
    )
    this.#edit.insertNode(copy)
    node.outputs.forEach((output, i) => this.#know(output, copy.output(i)))
    for (const block of node.blocks) this.copyBlock(block, this.#edit.addBlock(copy))
  }

  #insertRegion(all: readonly Node[]): void {
    const detached = detachedNumbers(all)
    const run = all.filter((node) => !detached.has(node))
    const inside = new Set(run)
    for (const node of all) if (node.kind === 'prim::Constant' || detached.has(node)) this.#copyNode(node)
    const region = new Graph()
    const edit = new GraphEditor(region)
    const local = new Map<Value, Value>()
    const inputs: Value[] = []
    const map = (value: Value): Value => {
      const known = local.get(value)
      if (known) return known
      const isConstant = value.node.kind === 'prim::Constant'
      const copy = isConstant
        ? edit.at(region.block.returnNode.next, () =>
            edit.insertNode(edit.copyNode(value.node, map)).output(),
          )
        : edit.addBlockInput(region.block)
      edit.copyMetadata(value, copy)
      local.set(value, copy)
      if (!isConstant) inputs.push(value)
      return copy
    }
    for (const node of run) {
      const copy = edit.insertNode(edit.copyNode(node, map))
      node.outputs.forEach((output, i) => local.set(output, copy.output(i)))
    }
    const outputs = run
      .filter(({ kind }) => kind !== 'prim::Constant')
      .flatMap((node) => node.outputs)
      .filter((value) => value.uses.some(({ user }) => !isWithin(user, inside)))
    for (const output of outputs) edit.addBlockOutput(region.block, map(output))
    const node = this.#edit.insert(
      regionKind,
      inputs.map((value) => this.#mapped(value)),
      {
        outputs: outputs.map(({ type }) => type),
        attributes: { Subgraph: { kind: 'graph', graph: region } },
        range: run.find(computesTensor)?.range,
      },
    )
    outputs.forEach((output, i) => this.#know(output, node.output(i)))
  }
}

/** Nodes of the run that make numbers of numbers, and on which nothing else of the run depends. */
function detachedNumbers(run: readonly Node[]): ReadonlySet<Node> {
  const inside = new Set(run)
  const isNumber = ({ type }: Value): boolean => ['Int', 'Float', 'Bool', 'Number'].includes(type.kind)
  const isDetachable = (node: Node): boolean =>
    node.kind.startsWith('aten::') &&
    node.blocks.length === 0 &&
    node.outputs.length > 0 &&
    [...node.inputs, ...node.outputs].every(isNumber)
  const detached = new Set(run.filter(isDetachable))
  const stays = (node: Node): boolean =>
    node.inputs.every(({ node: maker }) => {
      const isOutside = !inside.has(maker) || maker.kind === 'prim::Constant'
      return isOutside || detached.has(maker)
    }) &&
    node.outputs.every(({ uses }) =>
      uses.every(({ user }) => !isWithin(user, inside) || isWithin(user, detached)),
    )
  for (let before = -1; before !== detached.size;) {
    before = detached.size
    for (const node of detached) if (!stays(node)) detached.delete(node)
  }
  return detached
}

function computesTensor(node: Node): boolean {
  if (node.blocks.some((block) => [...block.nodes()].some(computesTensor))) return true
  return node.kind.startsWith('aten::') && node.outputs.some(({ type }) => type.kind === 'Tensor')
}

/** Whether the node, or one around it, is of the set. */
function isWithin(node: Node, set: ReadonlySet<Node>): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = at.owningBlock.owningNode)
    if (set.has(at)) return true
  return false
}
