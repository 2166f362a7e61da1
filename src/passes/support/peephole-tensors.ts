import type { Graph, Node } from '../../ir/graph.ts'
import { Device, List, type IValue } from '../../ir/ivalue.ts'
import { IntT, type TensorType } from '../../ir/types.ts'
import { dtypes, isFloating } from '../../tensor/dtype.ts'
import { constantInt, constantOf, mustBeNone, replaceByConstant } from './constants.ts'
import { applyRules, inputsAre, type PeepholeRule, type PeepholeRules } from './peephole-rule.ts'

/** A question about a tensor that its type answers. */
const answered =
  (answer: (type: TensorType, node: Node) => IValue | undefined, argumentCount = 1): PeepholeRule =>
  (node, { cx, shapes }) => {
    if (!shapes || node.inputs.length !== argumentCount) return false
    const { type } = node.input()
    const constant = type.kind === 'Tensor' ? answer(type, node) : undefined
    if (constant === undefined) return false
    return cx.rewrite(node, 'the type says it', (edit) => replaceByConstant(edit, node.output(), constant))
  }

function knownSizes(type: TensorType): readonly number[] | undefined {
  return type.sizes?.every((size) => size !== null) === true ? type.sizes : undefined
}

const sizeOfAll = answered((type) => {
  const sizes = knownSizes(type)
  return sizes && new List([...sizes], IntT)
})

const sizeOfOne = answered((type, node) => {
  const dim = constantInt(node.input(1))
  return dim === undefined ? undefined : (type.sizes?.at(dim) ?? undefined)
}, 2)

/** `len(x.size())`, while nobody else has the list. */
const lengthOfSize: PeepholeRule = (node, { cx, shapes }) => {
  const size = node.input().node
  if (!shapes || size.kind !== 'aten::size' || size.inputs.length !== 1 || node.input().uses.length !== 1)
    return false
  const { type } = size.input()
  const rank = type.kind === 'Tensor' ? type.sizes?.length : undefined
  return (
    rank !== undefined &&
    cx.rewrite(node, 'the type says it', (edit) => replaceByConstant(edit, node.output(), rank))
  )
}

/** `x.t().t()` */
const transposeTwice: PeepholeRule = (node, { cx }) => {
  const inner = node.input().node
  return (
    inner.kind === 'aten::t' &&
    cx.rewrite(node, 'transposed twice', (edit) => edit.replaceAllUses(node.output(), inner.input()))
  )
}

/** A number made a tensor and a number again. */
const numberAgain: PeepholeRule = (node, { cx }) => {
  const inner = node.inputs.length === 1 ? node.input().node : undefined
  return (
    inner?.kind === 'prim::NumToTensor' &&
    cx.rewrite(node, 'a number again', (edit) => edit.replaceAllUses(node.output(), inner.input()))
  )
}

const expandToItself: PeepholeRule = (node, { cx, shapes }) => {
  const { type } = node.input()
  const target = constantOf(node.input(1))
  const sizes = type.kind === 'Tensor' ? knownSizes(type) : undefined
  if (!shapes || !(target instanceof List) || sizes === undefined) return false
  if (sizes.length !== target.elements.length || sizes.some((size, i) => size !== target.elements[i]))
    return false
  return cx.rewrite(node, 'it has that size', (edit) => edit.replaceAllUses(node.output(), node.input()))
}

const typeAsItself: PeepholeRule = (node, { cx, shapes }) => {
  if (!shapes || !inputsAre(node, 'Tensor', 'Tensor')) return false
  const [self, other] = node.inputs.map((input) => input.type as TensorType)
  if (self?.dtype === undefined || self.device === undefined) return false
  if (self.dtype !== other?.dtype || self.device !== other.device) return false
  return cx.rewrite(node, 'it has that type', (edit) => edit.replaceAllUses(node.output(), node.input()))
}

const gradSumToNone: PeepholeRule = (node, { cx }) =>
  mustBeNone(node.input(1)) &&
  cx.rewrite(node, 'no size given', (edit) => edit.replaceAllUses(node.output(), node.input()))

const rules: PeepholeRules = {
  'aten::_grad_sum_to_size': gradSumToNone,
  'aten::expand': expandToItself,
  'aten::t': transposeTwice,
  'aten::type_as': typeAsItself,
  'aten::Float': numberAgain,
  'aten::Int': numberAgain,
  'aten::FloatImplicit': numberAgain,
  'aten::IntImplicit': numberAgain,
  'aten::ScalarImplicit': numberAgain,
  'aten::size': (node, context) => sizeOfAll(node, context) || sizeOfOne(node, context),
  'aten::len': lengthOfSize,
  'aten::is_floating_point': answered(({ dtype }) => dtype && isFloating(dtype)),
  'aten::is_complex': answered(({ dtype }) => dtype && dtypes[dtype].category === 'complex'),
  'prim::dtype': answered(({ dtype }) => dtype && dtypes[dtype].code),
  'prim::device': answered(({ device }) => (device === undefined ? undefined : deviceOf(device))),
  'aten::dim': answered(({ sizes }) => sizes?.length),
  'prim::is_cuda': answered(({ device }) => device?.startsWith('cuda')),
}

function deviceOf(name: string): Device {
  const [type = name, index] = name.split(':')
  return index === undefined ? new Device(type) : new Device(type, Number(index))
}

/** The rules about single tensors: torch/csrc/jit/passes/peephole.cpp. */
export const optimizeTensors = (graph: Graph, context: Parameters<PeepholeRule>[1]): boolean =>
  applyRules(graph, rules, context)
