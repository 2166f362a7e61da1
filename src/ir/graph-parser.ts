import type { Tensor } from '../tensor/tensor.ts'
import { parseConstant } from './constant-parser.ts'
import { GraphEditor } from './graph-editor.ts'
import { isSingleType } from './graph-printer.ts'
import { Graph, type Attribute, type Block, type Node, type Value } from './graph.ts'
import { SourceRange, type OriginalLocation, type Source } from './source-range.ts'
import { TextCursor } from './text-cursor.ts'
import { parseType, type NamedTypes } from './type-parser.ts'
import { TensorT, type TensorType, type Type } from './types.ts'

export interface ParseOptions {
  /** The classes, enums and interfaces that the text names; one that is not known becomes an Opaque type. */
  readonly resolveType?: NamedTypes
  /** The content of a `<Tensor>`, by the name of its value; if there is none: zeros, where the type is complete. */
  readonly tensors?: (name: string, type: TensorType) => Tensor | undefined
}

/** Blocks and subgraphs may not be nested deeper, so that no text exhausts the stack. */
const maxDepth = 100

/**
 * Reads what `printGraph` prints and what people write in its form: with `#` comments, with types left out (they are
 * `Tensor`). Values keep their names, numbers included, so that the graph prints as it was read. The schemas of the
 * nodes stay unset. docs/ir.md describes the form.
 *
 * @throws IrSyntaxError with line and column
 */
export function parseGraph(text: string, options: ParseOptions = {}): Graph {
  const cursor = new IrCursor(text)
  const graph = new GraphParser(cursor, options).graph()
  if (!cursor.atEnd) cursor.fail(`expected the end of the graph but found '${cursor.peekText()}'`)
  return graph
}

/** Here line ends and comments count as blanks. */
class IrCursor extends TextCursor {
  override skipBlanks(): void {
    const blanks = /(?:\s+|#[^\n]*)*/y
    blanks.lastIndex = this.position
    blanks.exec(this.text)
    this.position = blanks.lastIndex
  }

  /**
   * The location in what libtorch puts behind a node, `, scope: __module.conv # file.py:17:4`. The scope, the module
   * that was being traced, is dropped: archives do not keep it either.
   */
  takeTrailer(): OriginalLocation | undefined {
    const trailer = /(?:,[ \t]*scope:[ \t]*\S+)?[ \t]*(?:#[ \t]*(\S[^\n]*):(\d+):(\d+)[ \t\r]*(?=\n|$))?/y
    trailer.lastIndex = this.position
    const [, file, line, column] = trailer.exec(this.text) ?? []
    this.position = trailer.lastIndex
    return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
  }

  failAt(position: number, found: string, advice?: string): never {
    this.position = position
    return this.fail(found, advice)
  }
}

interface ParsedOutput {
  readonly name: string
  readonly type: Type
  readonly at: number
}

class GraphParser {
  readonly #cursor: IrCursor
  readonly #options: ParseOptions
  readonly #named: NamedTypes
  readonly #editor = new GraphEditor(new Graph())
  readonly #values = new Map<string, Value>()
  readonly #subgraphNames: ReadonlySet<string>
  readonly #withSubgraph: { readonly name: string; readonly node: Node }[] = []
  readonly #source: Source
  readonly #locations = new Map<number, OriginalLocation>()
  #nextNumber: number
  #depth: number

  constructor(cursor: IrCursor, options: ParseOptions, depth = 0) {
    const { text } = cursor
    this.#cursor = cursor
    this.#options = options
    this.#named = options.resolveType ?? (() => undefined)
    this.#subgraphNames = new Set(
      Array.from(text.matchAll(/^with[ \t]+(\S+)[ \t]*=/gm), ([, name = '']) => name),
    )
    this.#source = { name: '<graph>', text, original: (offset) => this.#locations.get(offset) }
    this.#nextNumber = firstFreeNumber(text)
    this.#depth = depth
  }

  graph(): Graph {
    const cursor = this.#cursor
    const { graph } = this.#editor
    if (this.#depth > maxDepth) cursor.fail(`graphs are nested more than ${maxDepth} deep`)
    cursor.expect('graph')
    this.#body(graph.block, 'return')
    for (const { name, node } of this.#withSubgraph) this.#subgraph(name, node)
    this.#editor.numberNextValue(this.#nextNumber)
    return graph
  }

  #subgraph(name: string, node: Node): void {
    const cursor = this.#cursor
    cursor.expect('with')
    cursor.expect(name)
    cursor.expect('=')
    const graph = new GraphParser(cursor, this.#options, this.#depth + 1).graph()
    this.#editor.setAttribute(node, 'Subgraph', { kind: 'graph', graph })
  }

  /** `(inputs):`, the nodes, and the line with the outputs. */
  #body(block: Block, end: 'return' | '->'): void {
    const cursor = this.#cursor
    if (++this.#depth > maxDepth) cursor.fail(`blocks are nested more than ${maxDepth} deep`)
    cursor.expect('(')
    cursor.list(')', () => {
      this.#define(this.#typedName(), (type) => this.#editor.addBlockInput(block, type))
    })
    cursor.expect(':')
    while (!cursor.take(end)) this.#node(block)
    cursor.expect('(')
    for (const output of cursor.list(')', () => this.#value())) this.#editor.addBlockOutput(block, output)
    this.#depth--
  }

  #node(block: Block): void {
    const cursor = this.#cursor
    cursor.skipBlanks()
    const start = cursor.position
    const outputs = this.#outputs()
    const written =
      cursor.match(/[A-Za-z_][\w.]*::[\w.]+/y) ??
      cursor.fail(`expected a node, as in '%y : Tensor = aten::relu(%x)', but found '${cursor.peekText()}'`)
    const attributes = cursor.take('[') ? this.#attributes(outputs[0]) : {}
    cursor.expect('(')
    const inputs = cursor.list(')', () => this.#value())
    const range = this.#range(start)
    const hasSubgraph = this.#subgraphNames.has(written)
    const kind = hasSubgraph ? written.replace(/_\d+$/, '') : written
    const node = this.#editor.create(kind, inputs, { outputs: [], attributes, range })
    this.#editor.insertBefore(node, block.returnNode)
    if (hasSubgraph) this.#withSubgraph.push({ name: written, node })
    while (cursor.match(/block\d+(?=\s*\()/y) !== undefined) this.#body(this.#editor.addBlock(node), '->')
    for (const output of outputs) this.#define(output, (type) => this.#editor.addOutput(node, type))
  }

  /** `%a : int, %b = `; nothing or a lone `=` for a node without outputs. */
  #outputs(): ParsedOutput[] {
    const outputs: ParsedOutput[] = []
    if (this.#cursor.sees('%')) {
      do outputs.push(this.#typedName())
      while (this.#cursor.take(','))
      this.#cursor.expect('=')
    } else this.#cursor.take('=')
    return outputs
  }

  #attributes(output: ParsedOutput | undefined): Record<string, Attribute> {
    const attributes: Record<string, Attribute> = {}
    this.#cursor.list(']', () => {
      const name =
        this.#cursor.match(/[A-Za-z_]\w*/y) ?? this.#cursor.fail(`expected the name of an attribute`)
      this.#cursor.expect('=')
      attributes[name] = this.#attribute(name, output)
    })
    return attributes
  }

  #attribute(name: string, output: ParsedOutput | undefined): Attribute {
    const cursor = this.#cursor
    const type = (): Type => parseType(cursor, this.#named)
    if (isSingleType(name)) return { kind: 'types', types: [type()] }
    if (name === 'types') {
      cursor.expect('[')
      return { kind: 'types', types: cursor.list(']', type) }
    }
    const tensor = (tensorType: TensorType): Tensor | undefined =>
      this.#options.tensors?.(output?.name ?? '', tensorType)
    const expected = name === 'value' ? output?.type : undefined
    return { kind: 'value', value: parseConstant(cursor, { named: this.#named, tensor }, expected) }
  }

  #range(start: number): SourceRange | undefined {
    const end = this.#cursor.position
    const location = this.#cursor.takeTrailer()
    if (location === undefined) return undefined
    this.#locations.set(start, location)
    return new SourceRange(this.#source, start, end)
  }

  #typedName(): ParsedOutput {
    const at = this.#cursor.position
    const name = this.#name()
    return { name, at, type: this.#cursor.take(':') ? parseType(this.#cursor, this.#named) : TensorT }
  }

  #name(): string {
    this.#cursor.expect('%')
    return this.#cursor.match(/[^\s%:,=()[\]#]+/y) ?? this.#cursor.fail("expected a name behind '%'")
  }

  #value(): Value {
    this.#cursor.skipBlanks()
    const at = this.#cursor.position
    const name = this.#name()
    return (
      this.#values.get(name) ??
      this.#cursor.failAt(at, `%${name} is not defined here`, 'a value must be defined above its first use')
    )
  }

  #define({ name, type, at }: ParsedOutput, create: (type: Type) => Value): void {
    if (this.#values.has(name)) this.#cursor.failAt(at, `%${name} is defined twice`)
    const isNumber = /^\d+$/.test(name)
    if (isNumber && !/^(?:0|[1-9]\d{0,14})$/.test(name))
      this.#cursor.failAt(at, `%${name} is no usable number`)
    this.#editor.numberNextValue(isNumber ? Number(name) : this.#nextNumber++)
    const value = create(type)
    if (!isNumber) this.#editor.setDebugName(value, name)
    this.#values.set(name, value)
  }
}

/** Named values are numbered from here, so that their numbers do not stand in the text. */
function firstFreeNumber(text: string): number {
  let next = 0
  for (const [, digits] of text.matchAll(/%(\d{1,15})(?=[\s:,=()#]|$)/g))
    next = Math.max(next, Number(digits) + 1)
  return next
}
