import type { Graph, Node } from '../ir/graph.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { definePass, type PassContext } from './pass.ts'

/**
 * Removes `detach`, which does nothing where no gradients are taken
 * (torch/csrc/jit/passes/eliminate_no_ops.cpp). A graph that asks whether two tensors are one object is left alone:
 * a detached tensor is another object.
 */
export function eliminateNoOps(graph: Graph, cx: PassContext): void {
  const detached = [...graph.nodes('aten::detach')]
  const asking = [...graph.nodes()].find(comparesTensors)
  if (asking !== undefined) {
    for (const node of detached) cx.miss(node, `${asking.kind} may tell the detached tensor from its origin`)
    return
  }
  for (const node of detached)
    cx.rewrite(node, 'no gradients are taken', (edit) => edit.replaceAllUses(node.output(), node.input()))
  if (detached.length > 0) eliminateDeadCode(graph, cx)
}

function comparesTensors(node: Node): boolean {
  const isIdentity = node.kind === 'aten::__is__' || node.kind === 'aten::__isnot__'
  return isIdentity && node.inputs.every((input) => input.type.kind === 'Tensor')
}

export const eliminateNoOpsPass = definePass({
  name: 'eliminate-no-ops',
  summary: 'Removes operators that give their input back.',
  run: eliminateNoOps,
})
