import type { Graph, Node, Value } from '../../ir/graph.ts'
import { isFloating } from '../../tensor/dtype.ts'
import { Aliases } from './aliases.ts'
import { constantNumber, replaceByConstant } from './constants.ts'
import { applyRules, inputsAre, type PeepholeContext, type PeepholeRule } from './peephole-rule.ts'

const ranks: Readonly<Record<string, number>> = { 'aten::conv1d': 3, 'aten::conv2d': 4, 'aten::conv3d': 5 }

/**
 * Rules that need alias analysis: torch/csrc/jit/passes/peephole_alias_sensitive.cpp.
 *
 * 1. `dim(conv2d(x))` is 4: frequent in batch norm's checks, where it stands in the way of folding.
 * 2. `x + 0`, `x - 0`, `x * 1`, `x / 1` are x, where no type is promoted and sharing memory does not show.
 */
export function optimizeAliasSensitive(graph: Graph, { cx, shapes }: PeepholeContext): boolean {
  const aliases = new Aliases(graph, cx)
  const stale: Value[] = []

  const dimOfConvolution: PeepholeRule = (node) => {
    const users = node
      .output()
      .uses.map((use) => use.user)
      .filter((user) => user.kind === 'aten::dim')
    if (users.length === 0 || aliases.hasValueWriters(node.output())) return false
    const rank = ranks[node.kind] ?? 0
    return users
      .map((user) =>
        cx.rewrite(user, 'the rank of a convolution', (edit) => replaceByConstant(edit, user.output(), rank)),
      )
      .includes(true)
  }

  /** The output becomes the input, if nobody sees that they share memory now. */
  const becomesInput = (node: Node, why: string): boolean => {
    const pair = [node.input(), node.output()]
    if (!aliases.safeToChangeAliasing([node.input()], [node.output()])) return false
    if (pair.some((value) => stale.some((other) => aliases.mayAlias(value, other)))) return false
    stale.push(...pair)
    return cx.rewrite(node, why, (edit) => edit.replaceAllUses(node.output(), node.input()))
  }

  const keepsType = (node: Node, scalars: readonly Value[]): boolean => {
    const { type } = node.input()
    const isFloat = shapes && type.kind === 'Tensor' && type.dtype !== undefined && isFloating(type.dtype)
    return isFloat || scalars.every((scalar) => scalar.type.kind === 'Int')
  }

  const plusZero: PeepholeRule = (node) => {
    if (!inputsAre(node, 'Tensor') || node.inputs.length !== 3 || node.input(1).type.kind === 'Tensor')
      return false
    if (!keepsType(node, node.inputs.slice(1))) return false
    const isZero = constantNumber(node.input(1)) === 0 && constantNumber(node.input(2)) === 1
    return isZero && becomesInput(node, 'plus zero')
  }

  const timesOne: PeepholeRule = (node) => {
    if (!inputsAre(node, 'Tensor') || node.inputs.length !== 2 || node.input(1).type.kind === 'Tensor')
      return false
    const mayPromote = node.kind === 'aten::div' && !keepsType(node, [node.input()])
    if (mayPromote || !keepsType(node, [node.input(1)])) return false
    return constantNumber(node.input(1)) === 1 && becomesInput(node, 'by one')
  }

  return applyRules(
    graph,
    {
      'aten::conv1d': dimOfConvolution,
      'aten::conv2d': dimOfConvolution,
      'aten::conv3d': dimOfConvolution,
      'aten::add': plusZero,
      'aten::sub': plusZero,
      'aten::mul': timesOne,
      'aten::div': timesOne,
    },
    { cx, shapes },
  )
}
