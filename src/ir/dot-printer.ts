import { printNode } from './graph-printer.ts'
import type { Block, Graph, Node, Value } from './graph.ts'
import { printType } from './type-printer.ts'

export interface DotOptions {
  /** Leaves constants out of the picture; the nodes that use them show nothing for them. */
  readonly constants?: boolean
}

/**
 * The graph as a Graphviz document: a box for each node, an arrow for each use, a frame around each nested block.
 * Render it with `dot -Tsvg`.
 */
export function printDot(graph: Graph, options: DotOptions = {}): string {
  const printer = new DotPrinter(options.constants ?? true)
  printer.block(graph.block, 1, 'inputs', 'outputs')
  return `digraph {\n  rankdir=TB\n  node [shape=box, fontname="monospace"]\n${printer.lines.join('\n')}\n}\n`
}

class DotPrinter {
  readonly lines: string[] = []
  readonly #withConstants: boolean
  readonly #ids = new Map<Node, string>()

  constructor(withConstants: boolean) {
    this.#withConstants = withConstants
  }

  block(block: Block, level: number, inputs: string, outputs: string): void {
    this.#box(block.paramNode, level, `${inputs}\n${block.inputs.map(typed).join('\n')}`, 'style=rounded')
    for (const node of block.nodes()) this.#node(node, level)
    this.#box(block.returnNode, level, outputs, 'style=rounded')
    this.#arrows(block.returnNode, level)
  }

  #node(node: Node, level: number): void {
    if (!this.#isShown(node)) return
    this.#box(
      node,
      level,
      printNode(node),
      node.kind.startsWith('prim::') ? 'style=filled, fillcolor=gray95' : '',
    )
    this.#arrows(node, level)
    node.blocks.forEach((block, i) => {
      this.#line(level, `subgraph cluster_${this.#id(node)}_${i} {`)
      this.#line(level + 1, `label=${quote(`block${i} of ${node.kind}`)}`)
      this.block(block, level + 1, `block${i}`, '->')
      this.#line(level, '}')
    })
  }

  #box(node: Node, level: number, label: string, style: string): void {
    this.#line(level, `${this.#id(node)} [label=${quote(label)}${style === '' ? '' : `, ${style}`}]`)
  }

  #arrows(node: Node, level: number): void {
    node.inputs.forEach((value) => {
      if (this.#isShown(value.node))
        this.#line(
          level,
          `${this.#id(value.node)} -> ${this.#id(node)} [label=${quote(`%${value.debugName}`)}]`,
        )
    })
  }

  #isShown(node: Node): boolean {
    return this.#withConstants || node.kind !== 'prim::Constant'
  }

  #line(level: number, text: string): void {
    this.lines.push('  '.repeat(level) + text)
  }

  #id(node: Node): string {
    let id = this.#ids.get(node)
    if (id === undefined) this.#ids.set(node, (id = `n${this.#ids.size}`))
    return id
  }
}

function typed(value: Value): string {
  return `%${value.debugName} : ${printType(value.type)}`
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
