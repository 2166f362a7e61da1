import type { Block, Node, Value } from '../../ir/graph.ts'
import { Double, List } from '../../ir/ivalue.ts'
import { resultType } from '../../ops/type-promotion.ts'
import { dtypes, isFloating, type DType } from '../../tensor/dtype.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import { constantInt, constantOf } from './constants.ts'
import { NodeArguments, roleOf } from './node-arguments.ts'

/*
 * What can be told of a tensor without running the graph: from its type, from what computes it, and from the checks
 * that the model itself makes. What is not certain is not said.
 */

/** The number of dimensions, if it is certain wherever the value's users run (at `place`, if given). */
export function rankOf(value: Value, cx: PassContext, place?: Node): number | undefined {
  for (const { at, operands } of lineage(value, cx)) {
    if (at.uses.some(({ user }) => reshaping.has(user.kind))) return undefined
    const known = ownRank(at, cx) ?? (place && checkedRank(at, place))
    if (known !== undefined) return Math.max(known, ...operands.map(({ dim }) => dim))
  }
  return undefined
}

/** The dtype, if it is a floating one and certain. */
export function floatingDTypeOf(value: Value, cx: PassContext): DType | undefined {
  for (const { at, operands } of lineage(value, cx)) {
    const known = ownDType(at, cx)
    if (known === undefined) continue
    const result = operands.reduce((dtype, operand) => resultType(Tensor.meta(dtype, [1]), operand), known)
    return isFloating(known) ? result : undefined
  }
  return undefined
}

/** Operators that give a tensor itself other sizes. */
const reshaping = new Set(
  'resize_ resize_as_ set_ as_strided_ squeeze_ unsqueeze_'.split(' ').map((name) => `aten::${name}`),
)

/** A longer chain is not worth the look. */
const farthest = 1000

interface Ancestor {
  readonly at: Value
  /** Constant tensors that were added or multiplied on the way. */
  readonly operands: readonly Tensor[]
}

/** The value, and what it has rank and dtype from, nearest first. */
function* lineage(value: Value, cx: PassContext): Generator<Ancestor> {
  const operands: Tensor[] = []
  let at: Value | undefined = value
  for (let i = 0; i < farthest && at !== undefined; i++) {
    yield { at, operands }
    const operand: Operand | undefined = arithmetic.has(at.node.kind) ? constantOperand(at.node) : undefined
    if (operand instanceof Tensor) operands.push(operand)
    at = operand !== undefined || isAlike(at.node, cx) ? at.node.inputs[0] : undefined
  }
}

/** Operators whose result has the rank and dtype of their operands. */
const arithmetic = new Set(['aten::add', 'aten::sub', 'aten::mul', 'aten::div'])

type Operand = Tensor | number | Double

/** The second operand, if it is a constant number or a tensor of real numbers. */
function constantOperand({ inputs }: Node): Operand | undefined {
  const constant = inputs[1] && constantOf(inputs[1])
  if (constant instanceof Tensor)
    return constant.quantizer === undefined && dtypes[constant.dtype].category !== 'complex'
      ? constant
      : undefined
  return typeof constant === 'number' || constant instanceof Double ? constant : undefined
}

/** Operators whose result has the rank and dtype of their first input, whatever else they do. */
const alike = new Set(
  `relu relu_ relu6 relu6_ leaky_relu leaky_relu_ elu elu_ gelu silu silu_ mish mish_ hardtanh hardtanh_ hardswish
  hardswish_ hardsigmoid hardsigmoid_ clamp_ sigmoid_ tanh_ add_ sub_ mul_ div_ neg abs instance_norm group_norm
  max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
  adaptive_avg_pool3d contiguous detach clone alias`
    .split(/\s+/)
    .map((name) => `aten::${name}`),
)

function isAlike(node: Node, cx: PassContext): boolean {
  if (alike.has(node.kind)) return true
  const role = roleOf(node, cx)
  if (role === 'linear') return new NodeArguments(node, cx).tensor('weight')?.dim === 2
  return role !== undefined
}

function ownRank(value: Value, cx: PassContext): number | undefined {
  if (value.type.kind === 'Tensor' && value.type.sizes !== undefined) return value.type.sizes.length
  const { node } = value
  const constant = constantOf(value)
  if (constant instanceof Tensor) return constant.dim
  switch (node.kind) {
    case 'aten::flatten':
      return intAt(node, 1) === 1 && intAt(node, 2) === -1 ? 2 : undefined
    case 'aten::view':
    case 'aten::reshape':
    case 'aten::permute':
      return listLength(node.inputs[1])
    case 'aten::mm':
    case 'aten::addmm':
      return 2
    case 'aten::bmm':
      return 3
    case 'aten::convolution':
    case 'aten::_convolution':
      return new NodeArguments(node, cx).tensor('weight')?.dim
    default:
      return undefined
  }
}

function intAt(node: Node, offset: number): number | undefined {
  const value = node.inputs[offset]
  return value && constantInt(value)
}

function listLength(value: Value | undefined): number | undefined {
  if (value === undefined) return undefined
  const { node } = value
  if (node.kind === 'prim::ListConstruct') return value.uses.length === 1 ? node.inputs.length : undefined
  const constant = constantOf(value)
  return constant instanceof List ? constant.elements.length : undefined
}

function ownDType(value: Value, cx: PassContext): DType | undefined {
  if (value.type.kind === 'Tensor' && value.type.dtype !== undefined) return value.type.dtype
  const constant = constantOf(value)
  if (constant instanceof Tensor) return constant.dtype
  const role = roleOf(value.node, cx)
  return role === 'convolution' || role === 'linear'
    ? new NodeArguments(value.node, cx).tensor('weight')?.dtype
    : undefined
}

/** `if x.dim() != 4: raise`, in front of `place`. */
function checkedRank(value: Value, place: Node): number | undefined {
  for (const { user: dim } of value.uses) {
    if (dim.kind !== 'aten::dim') continue
    for (const { user: compared } of dim.output().uses) {
      if (compared.kind !== 'aten::ne' || compared.inputs[0] !== dim.output()) continue
      const rank = intAt(compared, 1)
      const isChecked = compared.output().uses.some(({ user }) => raisesBefore(user, place))
      if (rank !== undefined && isChecked) return rank
    }
  }
  return undefined
}

/** Whether `place` is never reached where the condition of `check`, a `prim::If`, holds. */
function raisesBefore(check: Node, place: Node): boolean {
  if (check.kind !== 'prim::If' || !raises(check.block(0))) return false
  for (let at: Node | undefined = place; at !== undefined; at = at.owningBlock.owningNode)
    if (at.owningBlock === check.owningBlock) return check.isBefore(at)
  return false
}

function raises(block: Block): boolean {
  for (const node of block.nodes()) if (node.kind === 'prim::RaiseException') return true
  return false
}
