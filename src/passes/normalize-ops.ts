import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Graph, Node } from '../ir/graph.ts'
import { definePass, type PassContext } from './pass.ts'

/**
 * Gives operators with several names one, after torch/csrc/jit/passes/normalize_ops.cpp of libtorch 1.13:
 *
 * 1. An alias becomes the operator that it stands for (`aten::absolute` is `aten::abs`).
 * 2. `rsub(x, y)` of two tensors is `sub(y, x)`.
 * 3. `is` and `is not` of two bools are `eq` and `ne`.
 */
export function normalizeOps(graph: Graph, cx: PassContext): void {
  for (const node of graph.nodes()) {
    const kind = normalized(node)
    if (kind !== undefined) cx.rewrite(node, `is ${kind}`, (edit) => rename(edit, node, kind))
  }
}

export const normalizeOpsPass = definePass({
  name: 'normalize-ops',
  summary: 'Replaces operators that are another name of an operator by that operator.',
  run: normalizeOps,
})

function normalized(node: Node): string | undefined {
  const alias = aliases.get(node.kind)
  if (alias !== undefined) return alias
  if (node.kind === 'aten::rsub') return allInputsAre(node, 'Tensor', 2) ? 'aten::sub' : undefined
  if (node.inputs.length !== 2 || !allInputsAre(node, 'Bool', 2)) return undefined
  return node.kind === 'aten::__is__' ? 'aten::eq' : node.kind === 'aten::__isnot__' ? 'aten::ne' : undefined
}

function allInputsAre(node: Node, kind: string, count: number): boolean {
  return node.inputs.slice(0, count).every((input) => input.type.kind === kind)
}

function rename(edit: GraphEditor, node: Node, kind: string): void {
  const [first, second, ...rest] = node.inputs
  const isSwapped = node.kind === 'aten::rsub' && first !== undefined && second !== undefined
  const inputs = isSwapped ? [second, first, ...rest] : node.inputs
  const renamed = edit.insert(kind, inputs, { outputs: [], range: node.range })
  for (const output of node.outputs) {
    const copy = edit.addOutput(renamed)
    edit.copyMetadata(output, copy)
    edit.replaceAllUses(output, copy)
  }
  edit.destroy(node)
}

/** Pairs of alias and name; `_` marks those whose in-place form has the same alias. */
const aliasPairs = `
  absolute_ abs  clip_ clamp  det linalg_det  matrix_power linalg_matrix_power  matrix_exp linalg_matrix_exp
  ger outer  arccos_ acos  arcsin_ asin  arctan_ atan  arctan2_ atan2  arccosh_ acosh  arcsinh_ asinh
  arctanh_ atanh  fix_ trunc  negative_ neg  subtract_ sub  greater_equal_ ge  greater_ gt  less_equal_ le
  less_ lt  not_equal_ ne  divide_ div  multiply_ mul  true_divide_ div  linalg_matmul matmul
  inverse linalg_inv  concat cat  concatenate cat  row_stack vstack  swapdims_ transpose  swapaxes_ transpose
  moveaxis movedim  special_erf erf  special_erfc erfc  special_erfinv erfinv  special_expit sigmoid
  special_exp2 exp2  special_expm1 expm1  special_logit logit  special_logsumexp logsumexp  special_round round
  special_log1p log1p  special_sinc sinc  special_digamma digamma  special_psi digamma  special_i0 i0
  special_xlogy xlogy  special_log_softmax log_softmax  orgqr linalg_householder_product  adjoint mH
  special_multigammaln mvlgamma  special_polygamma polygamma  special_softmax softmax
  special_gammainc igamma  special_gammaincc igammac  special_gammaln lgamma`

const aliases = new Map<string, string>(
  [...aliasPairs.matchAll(/(\w+?)(_?) (\w+)(?=\s|$)/g)].flatMap(([, alias = '', inPlace, name = '']) => {
    const pair: [string, string] = [`aten::${alias}`, `aten::${name}`]
    return inPlace === '_' ? [pair, [`aten::${alias}_`, `aten::${name}_`] as [string, string]] : [pair]
  }),
)
