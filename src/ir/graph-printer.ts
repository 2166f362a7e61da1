import { printConstant, type TensorStyle } from './constant-printer.ts'
import { GraphFunction } from './graph-function.ts'
import type { Attribute, Block, Graph, Node, Value } from './graph.ts'
import { formatLocation } from './source-range.ts'
import { printType } from './type-printer.ts'

/**
 * What values are called: by `debugName`; `renumbered`, the nameless ones counted anew from 0 in the order of the
 * text; `positional`, all of them counted so, which makes graphs comparable that differ in names only.
 */
export type NameStyle = 'debug' | 'renumbered' | 'positional'

export interface PrintOptions {
  /** Behind each node where it comes from, ` # file.py:17:4`, as libtorch prints it. */
  readonly ranges?: boolean
  readonly names?: NameStyle
  readonly tensors?: TensorStyle
}

/**
 * The graph as text, to the letter as libtorch's `str(graph)` (with `ranges`), and readable by `parseGraph`
 * (`Graph::print`, torch/csrc/jit/ir/ir.cpp). docs/ir.md describes the form.
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  return printLines(graph, options)
    .map(({ text }) => `${text}\n`)
    .join('')
}

/** One node as it stands in the graph's text, without nested blocks and without indentation. */
export function printNode(node: Node, options: PrintOptions = {}): string {
  return new GraphPrinter(options, []).head(node)
}

/** A line of a graph's text and what stands there. */
export interface PrintedLine {
  readonly text: string
  /** The node, its block whose inputs or outputs the line lists, or the value in a line of the header. */
  readonly subject: Node | Block | Value | undefined
}

export function printLines(graph: Graph, options: PrintOptions = {}): PrintedLine[] {
  const lines: PrintedLine[] = []
  new GraphPrinter(options, lines).graph(graph, '')
  return lines
}

interface Subgraph {
  readonly kind: string
  readonly graph: Graph
}

class GraphPrinter {
  readonly #options: PrintOptions
  readonly #lines: PrintedLine[]
  readonly #names = new Map<Value, string>()
  #subgraphs: Subgraph[] = []

  constructor(options: PrintOptions, lines: PrintedLine[]) {
    this.#options = options
    this.#lines = lines
  }

  graph(graph: Graph, prefix: string): void {
    const subgraphs: Subgraph[] = []
    this.#subgraphs = subgraphs
    this.#names.clear()
    this.#header(graph, prefix)
    this.#nodes(graph.block, 1)
    this.#line(1, `return (${this.#refs(graph.outputs)})`, graph.block)
    subgraphs.forEach(({ kind, graph: inner }, i) => {
      this.graph(inner, `with ${kind}_${i} = `)
    })
  }

  #header(graph: Graph, prefix: string): void {
    const last = graph.inputs.length - 1
    if (last < 0) this.#line(0, `${prefix}graph():`, graph.block)
    graph.inputs.forEach((input, i) => {
      const start = i === 0 ? `${prefix}graph(` : '      '
      this.#line(0, `${start}${this.#typed(input)}${i === last ? '):' : ','}`, input)
    })
  }

  #nodes(block: Block, level: number): void {
    for (const node of block.nodes()) {
      this.#line(level, this.head(node) + this.#comment(node), node)
      node.blocks.forEach((inner, i) => {
        this.#line(level + 1, `block${i}(${this.#typedList(inner.inputs)}):`, inner)
        this.#nodes(inner, level + 2)
        this.#line(level + 2, `-> (${this.#refs(inner.outputs)})`, inner)
      })
    }
  }

  #line(level: number, text: string, subject: PrintedLine['subject']): void {
    this.#lines.push({ text: '  '.repeat(level) + text, subject })
  }

  #comment({ range }: Node): string {
    if (this.#options.ranges !== true || range === undefined) return ''
    return ` # ${formatLocation(range.original ?? range.location)}`
  }

  head(node: Node): string {
    const outputs = this.#typedList(node.outputs)
    return `${outputs} = ${node.kind}${this.#subgraphSuffix(node)}${this.#attributes(node)}(${this.#refs(node.inputs)})`
  }

  #subgraphSuffix(node: Node): string {
    const attribute = node.attributes.get('Subgraph')
    if (attribute?.kind !== 'graph') return ''
    this.#subgraphs.push({ kind: node.kind, graph: attribute.graph })
    return `_${this.#subgraphs.length - 1}`
  }

  #attributes(node: Node): string {
    const parts: string[] = []
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === 'graph' && name === 'Subgraph') continue
      // A function is shown by its name alone.
      if (attribute.kind === 'value' && attribute.value instanceof GraphFunction) {
        if (!node.attributes.has('name')) parts.push(`name=${printConstant(attribute.value)}`)
      } else parts.push(`${name}=${this.#attribute(name, attribute)}`)
    }
    return parts.length === 0 ? '' : `[${parts.join(', ')}]`
  }

  #attribute(name: string, attribute: Attribute): string {
    if (attribute.kind === 'graph') return '<Graph>'
    if (attribute.kind === 'value') return printConstant(attribute.value, this.#options.tensors)
    const types = attribute.types.map(printType)
    return isSingleType(name) && types.length === 1 ? types.join() : `[${types.join(', ')}]`
  }

  #typedList(values: readonly Value[]): string {
    return values.map((value) => this.#typed(value)).join(', ')
  }

  #typed(value: Value): string {
    return `${this.#ref(value)} : ${printType(value.type)}`
  }

  #refs(values: readonly Value[]): string {
    return values.map((value) => this.#ref(value)).join(', ')
  }

  #ref(value: Value): string {
    const style = this.#options.names ?? 'debug'
    if (style === 'debug' || (style === 'renumbered' && value.hasDebugName)) return `%${value.debugName}`
    let name = this.#names.get(value)
    if (name === undefined) this.#names.set(value, (name = `%${this.#names.size}`))
    return name
  }
}

/** Attributes that hold one type, not a list: `profiled_type=Tensor`. */
export function isSingleType(name: string): boolean {
  return name.endsWith('_type')
}
