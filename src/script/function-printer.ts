import type { Block, Graph, Node, Value } from '../ir/graph.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import { ModuleSaveError } from './errors.ts'
import { printExpression, type ExpressionScope } from './expression-printer.ts'
import { findInlined } from './inlined-expressions.ts'
import { isIdentifier, PythonNames } from './python-names.ts'
import { printLiteral } from './python-literals.ts'
import type { SourceText } from './source-text.ts'

export type ArchiveScope = Omit<ExpressionScope, 'text'>

/**
 * Writes one function as TorchScript source that compiles back to the same graph
 * (torch/csrc/jit/serialization/python_print.cpp).
 *
 * @throws ModuleSaveError for a construct that source cannot express
 */
export function printFunction(
  out: SourceText,
  name: string,
  graph: Graph,
  schema: FunctionSchema,
  scope: ArchiveScope,
): void {
  new FunctionPrinter(out, graph, scope).print(name, schema)
}

class FunctionPrinter implements ExpressionScope {
  readonly #out: SourceText
  readonly #graph: Graph
  readonly #scope: ArchiveScope
  readonly #names = new PythonNames()
  readonly #texts = new Map<Value, string>()
  readonly #inlined: ReadonlySet<Node>

  constructor(out: SourceText, graph: Graph, scope: ArchiveScope) {
    this.#out = out
    this.#graph = graph
    this.#scope = scope
    this.#inlined = findInlined(graph)
  }

  print(name: string, schema: FunctionSchema): void {
    const parameters = this.#graph.inputs.map((input, i) => this.#parameter(input, schema, i))
    const returns = schema.returns[0]?.type ?? this.#graph.outputs[0]?.type ?? { kind: 'None' }
    this.#out.line(`def ${name}(${parameters.join(',\n    ')}) -> ${this.annotation(returns)}:`)
    this.#out.indented(() => {
      this.#nodes(this.#graph.block)
      this.#out.line(`return ${this.#graph.outputs.map((output) => this.text(output)).join(', ')}`)
    })
  }

  #parameter(input: Value, schema: FunctionSchema, i: number): string {
    const declared = schema.arguments[i]
    const name = this.#define(input, declared?.name)
    const annotated = `${name}: ${this.annotation(declared?.type ?? input.type)}`
    if (declared?.default === undefined) return annotated
    return `${annotated}=${printLiteral(declared.default, (value) => this.constant(value))}`
  }

  text(value: Value): string {
    const text = this.#texts.get(value)
    if (text !== undefined) return text
    if (value.node.kind === 'prim::Constant') return this.#remember(value, printExpression(value.node, this))
    throw new ModuleSaveError('a value is used before it is defined', { value: value.debugName })
  }

  annotation: ExpressionScope['annotation'] = (type) => this.#scope.annotation(type)
  constant: ExpressionScope['constant'] = (value) => this.#scope.constant(value)
  functionName: ExpressionScope['functionName'] = (fn) => this.#scope.functionName(fn)

  #remember(value: Value, text: string): string {
    this.#texts.set(value, text)
    return text
  }

  #define(value: Value, name?: string): string {
    const wanted =
      name !== undefined && isIdentifier(name) ? name : value.hasDebugName ? value.debugName : undefined
    return this.#remember(value, this.#names.unique(wanted))
  }

  #nodes(block: Block): void {
    for (const node of block.nodes()) this.#node(node)
  }

  #node(node: Node): void {
    switch (node.kind) {
      case 'prim::Constant':
        return
      case 'prim::If': {
        this.#if(node)
        return
      }
      case 'prim::Loop': {
        this.#loop(node)
        return
      }
      case 'prim::TupleUnpack':
      case 'prim::ListUnpack': {
        this.#assignment(node.outputs, this.text(node.input()), node)
        return
      }
      case 'prim::SetAttr': {
        this.#out.line(
          `${this.text(node.input())}.${node.stringAttribute('name')} = ${this.text(node.input(1))}`,
          node.range,
        )
        return
      }
      case 'prim::Enter': {
        this.#enter(node)
        return
      }
      case 'prim::Exit': {
        // The body may be empty otherwise.
        this.#out.line('pass')
        this.#out.dedent()
        return
      }
      default: {
        this.#expression(node)
        return
      }
    }
  }

  #expression(node: Node): void {
    if (node.blocks.length > 0)
      throw new ModuleSaveError(`'${node.kind}' has no spelling in TorchScript source`, { node: node.kind })
    const text = printExpression(node, this)
    const [output] = node.outputs
    if (output !== undefined && this.#inlined.has(node)) this.#remember(output, text)
    else this.#assignment(node.outputs, text, node)
  }

  #assignment(outputs: readonly Value[], text: string, node: Node): void {
    const targets = outputs.map((output) => this.#define(output))
    const isUnpacking = targets.length > 1 || node.kind.endsWith('Unpack')
    const left = targets.length === 0 ? '' : `${targets.join(', ')}${isUnpacking ? ',' : ''} = `
    this.#out.line(`${left}${text}`, node.range)
  }

  #if(node: Node): void {
    const outputs = node.outputs.map((output) => this.#define(output))
    this.#out.line(`if ${this.text(node.input())}:`, node.range)
    this.#branch(node.block(0), outputs)
    this.#out.line('else:', node.range)
    this.#branch(node.block(1), outputs)
  }

  #branch(block: Block, targets: readonly string[]): void {
    this.#out.indented(() => {
      this.#nodes(block)
      if (targets.length === 0) this.#out.line('pass')
      else this.#parallelAssignment(targets, block.outputs)
    })
  }

  /** All right sides are read before the first variable changes. */
  #parallelAssignment(targets: readonly string[], values: readonly Value[]): void {
    const texts = values.map((value) => this.text(value))
    const pairs = targets
      .map((target, i) => [target, texts[i] ?? ''] as const)
      .filter(([target, text]) => target !== text)
    if (pairs.length === 0) {
      this.#out.line('pass')
      return
    }
    this.#out.line(
      `${pairs.map(([target]) => target).join(', ')} = ${pairs.map(([, text]) => text).join(', ')}`,
    )
  }

  #loop(node: Node): void {
    const [trips, start, ...initial] = node.inputs as [Value, Value, ...Value[]]
    const body = node.block(0)
    const [index, ...carried] = body.inputs as [Value, ...Value[]]
    const targets = carried.map((input) => this.#define(input))
    if (targets.length > 0) this.#parallelAssignment(targets, initial)
    if (isConstant(start, true) && isConstant(body.outputs[0] as Value, true)) {
      this.#out.line(`for ${this.#define(index)} in range(${this.text(trips)}):`, node.range)
      this.#loopBody(body, targets, body.outputs.slice(1))
    } else if (isConstant(trips, 9223372036854775807n)) {
      const condition = this.#names.unique(undefined)
      this.#out.line(`${condition} = ${this.text(start)}`, node.range)
      this.#out.line(`while ${condition}:`, node.range)
      this.#loopBody(body, [condition, ...targets], body.outputs)
    } else {
      throw new ModuleSaveError(
        'a loop with both a trip count and a condition has no spelling in TorchScript source',
        { node: node.kind },
      )
    }
    node.outputs.forEach((output, i) => this.#remember(output, targets[i] as string))
  }

  #loopBody(body: Block, targets: readonly string[], values: readonly Value[]): void {
    this.#out.indented(() => {
      this.#nodes(body)
      if (targets.length === 0) this.#out.line('pass')
      else this.#parallelAssignment(targets, values)
    })
  }

  /** Opens a `with` block; the `prim::Exit` of the same object closes it. */
  #enter(node: Node): void {
    const target = node.output().uses.length > 0 ? ` as ${this.#define(node.output())}` : ''
    this.#out.line(`with ${this.text(node.input())}${target}:`, node.range)
    this.#out.indent()
  }
}

function isConstant(value: Value, content: unknown): boolean {
  return value.node.kind === 'prim::Constant' && value.node.attribute('value') === content
}
