import { GraphEditor } from '../ir/graph-editor.ts'
import type { Block, Graph, Node } from '../ir/graph.ts'
import type { FunctionSchema } from '../ir/schema.ts'
import type { SourceRange } from '../ir/source-range.ts'
import { upgraderOf } from './operator-upgraders.ts'

/**
 * Puts in the place of every operator that had another meaning in the file's version what says the same today
 * (`ReplaceOldOperatorsWithUpgraders`, torch/csrc/jit/passes/replacement_of_old_operators.cpp).
 *
 * @param compile the graph of an upgrader's source, with the inputs of the schema
 */
export function replaceOldOperators(
  graph: Graph,
  compile: (source: string, schema: FunctionSchema) => Graph,
): void {
  for (const node of [...graph.nodes()]) {
    const source = node.schema && upgraderOf(node.schema)
    if (node.schema && source !== undefined)
      replace(new GraphEditor(graph), node, compile(source, node.schema))
  }
}

function replace(edit: GraphEditor, node: Node, upgraded: Graph): void {
  const { prev } = node
  const outputs = edit.at(node, () => edit.insertGraph(upgraded, node.inputs))
  for (let made = prev.next; made !== node; made = made.next) placeAt(made, node.range)
  node.outputs.forEach((output, i) => {
    const replacement = outputs[i]
    if (replacement) edit.replaceAllUses(output, replacement)
  })
  edit.destroy(node)
}

/** Errors shall name the line of the model. */
function placeAt(node: Node, call: SourceRange | undefined): void {
  node.range = node.range?.inlinedAt(call)
  const inner = (block: Block): void => {
    for (const nested of block.nodes()) placeAt(nested, call)
  }
  node.blocks.forEach(inner)
}
