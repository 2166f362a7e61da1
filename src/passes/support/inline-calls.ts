import type { GraphEditor } from '../../ir/graph-editor.ts'
import { GraphFunction } from '../../ir/graph-function.ts'
import type { Block, Graph, Node } from '../../ir/graph.ts'
import type { SourceRange } from '../../ir/source-range.ts'
import { InlineError } from '../errors.ts'
import type { PassContext } from '../pass.ts'

/** A graph may not grow beyond this by inlining; calls of calls can double it at every level. */
const maxNodes = 250_000

/** Gives the graph that stands for a call of the function. */
export type BodyOf = (callee: GraphFunction) => Graph

/**
 * Replaces every call of a method or function by the nodes of its body, in nested blocks too
 * (torch/csrc/jit/passes/inliner.cpp). Calls through interfaces and in forked subgraphs stay.
 *
 * @throws InlineError for recursion and for graphs that would grow out of bounds
 * @returns whether anything was inlined
 */
export function inlineCalls(graph: Graph, cx: PassContext, bodyOf: BodyOf): boolean {
  const inliner = new Inliner(cx, bodyOf)
  inliner.visitBlock(graph.block)
  return inliner.changed
}

class Inliner {
  readonly #cx: PassContext
  readonly #bodyOf: BodyOf
  #nodes = 0
  changed = false

  constructor(cx: PassContext, bodyOf: BodyOf) {
    this.#cx = cx
    this.#bodyOf = bodyOf
  }

  visitBlock(block: Block): void {
    for (const node of block.nodes()) this.#visit(node)
  }

  #visit(node: Node): void {
    if (node.kind === 'prim::CallFunction') this.#inline(node, calledFunction(node), 1)
    else if (node.kind === 'prim::CallMethod') this.#inline(node, calledMethod(node), 0)
    else for (const block of node.blocks) this.visitBlock(block)
  }

  #inline(call: Node, callee: GraphFunction | undefined, firstArgument: number): void {
    if (callee === undefined) {
      this.#cx.miss(call, 'what it calls is known only at run time')
      return
    }
    const body = this.#bodyOf(callee)
    this.#count(body, callee)
    const done = this.#cx.rewrite(call, callee.qualifiedName, (edit) =>
      replaceCall(edit, call, body, firstArgument),
    )
    this.changed ||= done
  }

  #count(body: Graph, callee: GraphFunction): void {
    this.#nodes += sizeOf(body)
    if (this.#nodes > maxNodes)
      throw new InlineError(
        `inlining makes the graph larger than ${maxNodes} nodes`,
        { method: callee.qualifiedName },
        'calls that double at every level are not supported',
      )
  }
}

/** The function of a `prim::CallFunction`: the content of the constant that is its first input. */
export function calledFunction(call: Node): GraphFunction | undefined {
  for (const attribute of call.input().node.attributes.values())
    if (attribute.kind === 'value' && attribute.value instanceof GraphFunction) return attribute.value
  return undefined
}

/** The method of a `prim::CallMethod`, if the class of the object is known. */
export function calledMethod(call: Node): GraphFunction | undefined {
  const { type } = call.input()
  return type.kind === 'Class' ? type.methods.get(call.stringAttribute('name')) : undefined
}

/** Names of the call's outputs go to what replaces them (`inlineCallTo`, torch/csrc/jit/ir/ir.cpp). */
export function replaceCall(edit: GraphEditor, call: Node, body: Graph, firstArgument: number): void {
  if (call.inputs.length - firstArgument !== body.inputs.length)
    throw new InlineError(
      `a call with ${call.inputs.length - firstArgument} arguments of a function with ${body.inputs.length}`,
      { node: call.kind },
      'the graph does not fit the function that it calls',
    )
  const before = call.prev
  const results = edit.at(call, () => edit.insertGraph(body, call.inputs.slice(firstArgument)))
  const callers = new Map<SourceRange, SourceRange>()
  for (let node = before.next; node !== call; node = node.next) placeInCaller(node, call.range, callers)
  call.outputs.forEach((output, i) => {
    const result = results[i]
    if (result === undefined) return
    if (output.hasDebugName) edit.setDebugName(result, output.debugName)
    edit.replaceAllUses(output, result)
  })
  edit.destroy(call)
}

function placeInCaller(
  node: Node,
  call: SourceRange | undefined,
  callers: Map<SourceRange, SourceRange>,
): void {
  node.range = node.range?.inlinedAt(call, callers) ?? call
  for (const block of node.blocks) for (const inner of block.nodes()) placeInCaller(inner, call, callers)
}

const sizes = new WeakMap<Graph, number>()

/** Bodies do not change once they are inlined somewhere, so each is counted once. */
function sizeOf(graph: Graph): number {
  let size = sizes.get(graph)
  if (size === undefined) {
    size = [...graph.nodes()].length
    sizes.set(graph, size)
  }
  return size
}
