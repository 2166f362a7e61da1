import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Graph, Node, Value } from '../../ir/graph.ts'
import { isSubtype, unifyTypes, unshaped } from '../../ir/type-relations.ts'
import type { Type } from '../../ir/types.ts'
import { constantBool, constantInt, mustBeNone, mustNotBeNone, replaceByConstant } from './constants.ts'
import {
  applyRules,
  inputsAre,
  type PeepholeContext,
  type PeepholeRule,
  type PeepholeRules,
} from './peephole-rule.ts'

const replaceByInput =
  (why: string, when: (node: Node) => boolean): PeepholeRule =>
  (node, { cx }) =>
    when(node) && cx.rewrite(node, why, (edit) => edit.replaceAllUses(node.output(), node.input()))

/** `x and True`, `x or False`: an output that is true on the one path and false on the other is the condition. */
const shortCircuit: PeepholeRule = (node, { cx }) => {
  let changed = false
  node.outputs.forEach((output, i) => {
    const onTrue = constantBool(node.block(0).outputs[i] as Value)
    const onFalse = constantBool(node.block(1).outputs[i] as Value)
    if (output.type.kind !== 'Bool' || onTrue !== true || onFalse !== false) return
    changed =
      cx.rewrite(node, 'it is the condition itself', (edit) => edit.replaceAllUses(output, node.input())) ||
      changed
  })
  return changed
}

/** An Optional output whose two values are not Optional gets their type. */
const refineIfOutputs: PeepholeRule = (node, { cx }) => {
  let changed = false
  node.outputs.forEach((output, i) => {
    const [onTrue, onFalse] = node.blocks.map((block) => (block.outputs[i] as Value).type)
    if (output.type.kind !== 'Optional' || onTrue?.kind === 'Optional' || onFalse?.kind === 'Optional') return
    const type = onTrue && onFalse && unifyTypes(onTrue, onFalse)
    if (type === undefined) return
    changed = cx.rewrite(node, 'neither branch gives None', (edit) => edit.setType(output, type)) || changed
  })
  return changed
}

/** `x is None` where the types decide it. */
const compareWithNone: PeepholeRule = (node, { cx }) => {
  let changed = false
  for (const i of [0, 1]) {
    if (!mustBeNone(node.input(i)) || !mustNotBeNone(node.input(1 - i))) continue
    const isNot = node.kind === 'aten::__isnot__'
    changed =
      cx.rewrite(node, 'the type cannot be None', (edit) => replaceByConstant(edit, node.output(), isNot)) ||
      changed
  }
  return changed
}

const comparable = new Set<Type['kind']>(['Bool', 'Int', 'Float', 'None'])

function comparesWithoutError(type: Type): boolean {
  if (type.kind === 'List') return comparable.has(type.element.kind)
  if (type.kind === 'Dict') return comparable.has(type.key.kind) && comparable.has(type.value.kind)
  return comparable.has(type.kind)
}

/** `x == x`; unlike libtorch not for floats, since NaN differs from itself. */
const compareWithItself: PeepholeRule = (node, { cx }) => {
  if (node.inputs.length !== 2 || node.input(0) !== node.input(1)) return false
  const { type } = node.input()
  if (!comparesWithoutError(type) || mayBeNaN(type)) return false
  const isEqual = node.kind === 'aten::eq'
  return cx.rewrite(node, 'compared with itself', (edit) => replaceByConstant(edit, node.output(), isEqual))
}

function mayBeNaN(type: Type): boolean {
  if (type.kind === 'List') return mayBeNaN(type.element)
  if (type.kind === 'Dict') return mayBeNaN(type.key) || mayBeNaN(type.value)
  return type.kind === 'Float'
}

/** The constant operand of integer arithmetic; a constant on the left of `+` or `*` goes to the right first. */
function constantOperand(node: Node, edit: { swap(node: Node): void }): number | undefined {
  if (node.inputs.length !== 2 || !inputsAre(node, 'Int', 'Int')) return undefined
  const commutes = node.kind === 'aten::mul' || node.kind === 'aten::add'
  if (commutes && constantInt(node.input(0)) !== undefined) edit.swap(node)
  return constantInt(node.input(1))
}

function swapWith({ cx }: PeepholeContext): { swap(node: Node): void } {
  return {
    swap: (node) =>
      void cx.rewrite(node, 'the constant to the right', (edit) => edit.permuteInputs(node, [1, 0])),
  }
}

const timesOne: PeepholeRule = (node, context) =>
  constantOperand(node, swapWith(context)) === 1 &&
  context.cx.rewrite(node, 'by one', (edit) => edit.replaceAllUses(node.output(), node.input()))

/** `x + 0` is x; `x + 1 + 2` is `x + 3`. */
const addConstants: PeepholeRule = (node, context) => {
  const constant = constantOperand(node, swapWith(context))
  if (constant === undefined) return false
  if (constant === 0)
    return context.cx.rewrite(node, 'plus zero', (edit) => edit.replaceAllUses(node.output(), node.input()))
  const inner = node.input().node
  if (inner.kind !== 'aten::add' && inner.kind !== 'aten::sub') return false
  const delta = constantOperand(inner, swapWith(context))
  if (delta === undefined) return false
  const merged = inner.kind === node.kind ? constant + delta : constant - delta
  if (!Number.isSafeInteger(merged)) return false
  return context.cx.rewrite(node, 'two constants at once', (edit) => mergeInto(edit, node, inner, merged))
}

function mergeInto(edit: GraphEditor, node: Node, inner: Node, merged: number): void {
  if (merged === 0) {
    edit.replaceAllUses(node.output(), inner.input())
    return
  }
  edit.replaceInput(node, 0, inner.input())
  edit.replaceInput(node, 1, edit.insertConstant(merged, { kind: 'Int' }))
}

const unwrap = replaceByInput('it cannot be None', (node) => mustNotBeNone(node.input()))
const alreadyInt = replaceByInput(
  'it is an int already',
  (node) => node.inputs.length === 1 && inputsAre(node, 'Int'),
)

const rules: PeepholeRules = {
  'prim::If': (node, context) => {
    const changed = shortCircuit(node, context)
    return refineIfOutputs(node, context) || changed
  },
  'aten::__is__': compareWithNone,
  'aten::__isnot__': compareWithNone,
  'prim::unchecked_unwrap_optional': unwrap,
  'aten::_unwrap_optional': unwrap,
  'prim::unchecked_cast': replaceByInput('it has that type already', (node) =>
    isSubtype(unshaped(node.input().type), unshaped(node.output().type)),
  ),
  'aten::Int': alreadyInt,
  'aten::ceil': alreadyInt,
  'aten::eq': compareWithItself,
  'aten::ne': compareWithItself,
  'aten::mul': timesOne,
  'aten::floordiv': timesOne,
  'aten::add': addConstants,
  'aten::sub': addConstants,
}

/** A value of type None is a None constant, wherever it comes from. */
function replaceNone(node: Node, { cx }: PeepholeContext): boolean {
  let changed = false
  for (const output of node.outputs)
    if (output.type.kind === 'None')
      changed =
        cx.rewrite(node, 'its type is None', (edit) => replaceByConstant(edit, output, null)) || changed
  return changed
}

/** The rules about numbers, bools and None: torch/csrc/jit/passes/peephole_non_tensor.cpp. */
export function optimizeNumbers(graph: Graph, context: PeepholeContext): boolean {
  return applyRules(
    graph,
    rules,
    context,
    (node) => node.kind !== 'prim::Constant' && replaceNone(node, context),
  )
}
