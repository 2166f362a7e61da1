import { printConstantValue, printQuoted } from './constant-printer.ts'
import type { Attribute, Block, Graph, Node, Value } from './graph.ts'
import { GraphFunction } from './graph-function.ts'
import { formatLocation } from './source-range.ts'
import { printType } from './type-printer.ts'

export interface PrintOptions {
  /** Behind each node where it comes from, ` # file.py:17:4`, as libtorch prints it. */
  readonly ranges?: boolean
}

/**
 * The graph in libtorch's textual form (`str(graph)`; `Graph::print`, torch/csrc/jit/ir/ir.cpp).
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const printer = new GraphPrinter(options.ranges ?? false)
  return printer.graph(graph)
}

/** One node as it stands in the graph's text, without nested blocks. */
export function printNode(node: Node): string {
  return new GraphPrinter(false).head(node)
}

class GraphPrinter {
  readonly #withRanges: boolean
  readonly #lines: string[] = []
  readonly #subgraphs: { readonly name: string; readonly graph: Graph }[] = []

  constructor(withRanges: boolean) {
    this.#withRanges = withRanges
  }

  graph(graph: Graph): string {
    this.#body(graph, '')
    for (let next = this.#subgraphs.shift(); next !== undefined; next = this.#subgraphs.shift())
      this.#body(next.graph, `with ${next.name} = `)
    return `${this.#lines.join('\n')}\n`
  }

  #body(graph: Graph, prefix: string): void {
    this.#lines.push(`${prefix}graph(${graph.inputs.map(typed).join(',\n      ')}):`)
    this.#nodes(graph.block, 1)
    this.#lines.push(`  return (${names(graph.outputs)})`)
  }

  #nodes(block: Block, level: number): void {
    for (const node of block.nodes()) this.#node(node, level)
  }

  #node(node: Node, level: number): void {
    const { range } = node
    const location = range?.original ?? undefined
    const comment = this.#withRanges && location ? ` # ${formatLocation(location)}` : ''
    this.#line(level, this.head(node) + comment)
    node.blocks.forEach((block, i) => {
      this.#line(level + 1, `block${i}(${block.inputs.map(typed).join(', ')}):`)
      this.#nodes(block, level + 2)
      this.#line(level + 2, `-> (${names(block.outputs)})`)
    })
  }

  #line(level: number, text: string): void {
    this.#lines.push(`${'  '.repeat(level)}${text}`)
  }

  head(node: Node): string {
    const outputs = node.outputs.map(typed).join(', ')
    return `${outputs} = ${node.kind}${this.#attributes(node)}(${names(node.inputs)})`
  }

  #attributes(node: Node): string {
    const parts: string[] = []
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === 'value' && attribute.value instanceof GraphFunction) continue
      if (attribute.kind === 'graph') return this.#subgraph(node, attribute.graph)
      parts.push(`${name}=${printAttribute(attribute)}`)
    }
    return parts.length === 0 ? '' : `[${parts.join(', ')}]`
  }

  #subgraph(node: Node, graph: Graph): string {
    const suffix = `_${this.#subgraphs.length}`
    this.#subgraphs.push({ name: `${node.kind}${suffix}`, graph })
    return suffix
  }
}

function printAttribute(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'types':
      return `[${attribute.types.map(printType).join(', ')}]`
    case 'value':
      return typeof attribute.value === 'string'
        ? printQuoted(attribute.value)
        : printConstantValue(attribute.value)
    case 'graph':
      return '<Graph>'
  }
}

function typed(value: Value): string {
  return `%${value.debugName} : ${printType(value.type)}`
}

function names(values: readonly Value[]): string {
  return values.map((value) => `%${value.debugName}`).join(', ')
}
