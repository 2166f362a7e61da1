import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Node, Value } from '../ir/graph.ts'
import { matrixTranspose } from '../ops/permuting.ts'
import { contiguous } from '../ops/tensor-access.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { definePass, type PassContext } from './pass.ts'
import { insertValue } from './support/constants.ts'
import { NodeArguments, roleOf } from './support/node-arguments.ts'

/**
 * Replaces a linear layer by a product with its weight transposed ahead of time, and an addition, after
 * torch/csrc/jit/passes/frozen_linear_transpose.cpp:
 *
 * 1. Weight and bias are constants of one dtype, the weight a matrix, the bias a vector or None.
 * 2. `matmul(x, weightᵀ) + bias`; without a bias the product alone. The transposed weight is called `<weight>.t`; a
 *    weight that several layers share is transposed once.
 *
 * The sum is rounded before the bias is added: the last bits may differ.
 */
export const transposeFrozenLinears = definePass({
  name: 'transpose-frozen-linears',
  summary: 'Replaces linear layers by products with weights that are transposed ahead of time.',
  changesNumerics: true,
  run(graph, cx) {
    const transposed = new Map<Value, Value>()
    for (const node of graph.nodes()) {
      if (roleOf(node, cx) !== 'linear') continue
      const parameters = readParameters(node, cx)
      if (typeof parameters === 'string') cx.miss(node, parameters)
      else cx.rewrite(node, 'transposes its weight', (edit) => replace(edit, node, parameters, transposed))
    }
  },
})

interface Parameters {
  readonly weight: Tensor
  readonly hasBias: boolean
}

function readParameters(node: Node, cx: PassContext): Parameters | string {
  const args = new NodeArguments(node, cx)
  const weight = args.tensor('weight')
  const bias = args.optionalTensor('bias')
  if (weight === undefined || bias === undefined) return 'a weight or bias is no constant; freeze first'
  if (weight.dim !== 2 || weight.quantizer !== undefined) return 'the weight is no plain matrix'
  if (bias && (bias.dim !== 1 || bias.numel !== weight.sizes[0] || bias.dtype !== weight.dtype))
    return 'weight and bias differ in dtype or outputs'
  return { weight, hasBias: bias !== null }
}

function replace(
  edit: GraphEditor,
  linear: Node,
  { weight, hasBias }: Parameters,
  transposed: Map<Value, Value>,
): void {
  const { range } = linear
  const [input, old] = [linear.input(0), linear.input(1)]
  const known = transposed.get(old) ?? edit.at(old.node.next, () => transpose(edit, old, weight))
  transposed.set(old, known)
  let result = edit.insert('aten::matmul', [input, known], { range }).output()
  if (hasBias) {
    const one = insertValue(edit, 1, range)
    result = edit.insert('aten::add', [result, linear.input(2), one], { range }).output()
  }
  edit.replaceAllUses(linear.output(), result)
  edit.copyMetadata(linear.output(), result)
  edit.destroy(linear)
}

function transpose(edit: GraphEditor, old: Value, weight: Tensor): Value {
  const value = insertValue(edit, contiguous(matrixTranspose(weight)), old.node.range)
  return old.hasDebugName ? edit.setDebugName(value, `${old.debugName}.t`) : value
}
