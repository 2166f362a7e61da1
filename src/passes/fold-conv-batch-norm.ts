import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Graph, Node, Value } from '../ir/graph.ts'
import { schemaKey } from '../ir/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { definePass, type PassContext } from './pass.ts'
import { constantBool, constantInt, constantNumber, constantOf, insertValue } from './support/constants.ts'
import { eliminateDeadCode } from './eliminate-dead-code.ts'
import { elementsOf, isPlainFloat, scaleWeight, tensorOf } from './support/fold-tensors.ts'

/**
 * Multiplies a batch norm into the convolution in front of it, after torch/csrc/jit/passes/frozen_conv_folding.cpp
 * and torch/nn/utils/fusion.py, for 1d, 2d, 3d and transposed convolutions alike:
 *
 * 1. The batch norm's input is a convolution whose result nobody else uses.
 * 2. Weights, biases, statistics, `eps` and flags are constants, and the batch norm does not train.
 * 3. `weight' = weight * s` and `bias' = (bias - running_mean) * s + bn_bias` per output channel, where
 *    `s = bn_weight / sqrt(running_var + eps)`; a missing bias counts as 0, a missing bn_weight as 1.
 * 4. The new constants are called `<weight>_fused_bn` and `<bias>_fused_bn`; the batch norm goes.
 *
 * Computed in double precision and rounded once to the weight's dtype.
 */
export const foldConvBatchNorm = definePass({
  name: 'fold-conv-batch-norm',
  summary: 'Multiplies a frozen batch norm into the convolution in front of it.',
  changesNumerics: true,
  run(graph, cx) {
    if (foldAll(graph, cx)) eliminateDeadCode(graph, cx)
  },
})

function foldAll(graph: Graph, cx: PassContext): boolean {
  let changed = false
  for (const node of graph.nodes())
    if (roleOf(node, cx) === 'batch-norm' && roleOf(node.input().node, cx) === 'convolution')
      changed = fold(node.input().node, node, cx) || changed
  return changed
}

function roleOf(node: Node, cx: PassContext): string | undefined {
  const schema = cx.schemaOf(node)
  return schema && cx.findOperator(schemaKey(schema))?.role
}

function fold(conv: Node, norm: Node, cx: PassContext): boolean {
  const plan = planFold(new Arguments(conv, cx), new Arguments(norm, cx))
  if (typeof plan === 'string') {
    cx.miss(norm, plan)
    return false
  }
  return cx.rewrite(conv, `takes in %${norm.output().debugName}`, (edit) => {
    replaceParameter(edit, conv, plan.weightOffset, plan.weight)
    replaceParameter(edit, conv, plan.biasOffset, plan.bias)
    edit.replaceAllUses(norm.output(), conv.output())
  })
}

function replaceParameter(edit: GraphEditor, conv: Node, offset: number, tensor: Tensor): void {
  const old = conv.input(offset)
  const name = old.hasDebugName ? `${old.debugName}_fused_bn` : `${offset === 1 ? 'weight' : 'bias'}_fused_bn`
  const folded = edit.setDebugName(insertValue(edit, tensor, old.node.range), name)
  edit.replaceInput(conv, offset, folded)
}

interface FoldPlan {
  readonly weight: Tensor
  readonly weightOffset: number
  readonly bias: Tensor
  readonly biasOffset: number
}

/** The new weights, or why there are none. */
function planFold(conv: Arguments, norm: Arguments): FoldPlan | string {
  if (conv.node.output().uses.length > 1) return `%${conv.node.output().debugName} has other uses`
  if (norm.bool('training') !== false) return 'the batch norm trains, or may train'
  const weight = conv.tensor('weight')
  const eps = norm.number('eps')
  const mean = norm.tensor('running_mean')
  const variance = norm.tensor('running_var')
  if (!weight || !mean || !variance || eps === undefined)
    return 'a weight or statistic is no constant; freeze first'
  const bias = conv.optionalTensor('bias')
  const scale = norm.optionalTensor('weight')
  const shift = norm.optionalTensor('bias')
  const isTransposed = conv.isTransposed
  const groups = conv.int('groups')
  if (
    bias === undefined ||
    scale === undefined ||
    shift === undefined ||
    isTransposed === undefined ||
    !groups
  )
    return 'a bias, the groups or the direction of the convolution is no constant; freeze first'
  const channels = isTransposed ? (weight.sizes[1] ?? 0) * groups : (weight.sizes[0] ?? 0)
  const vectors = [mean, variance, bias, scale, shift].filter((tensor) => tensor !== null)
  if (![weight, ...vectors].every(isPlainFloat)) return 'not in float32 or float64'
  if (vectors.some((tensor) => tensor.numel !== channels)) return `not all have ${channels} channels`
  if (vectors.some((tensor) => tensor.dtype !== weight.dtype)) return 'weights and statistics differ in dtype'
  const factors = factorsOf(variance, eps, scale)
  const perGroup = isTransposed ? channels / groups : 1
  const inputsPerGroup = (weight.sizes[0] ?? 1) / groups
  return {
    weight: scaleWeight(weight, (i0, i1) =>
      isTransposed ? (factors[Math.floor(i0 / inputsPerGroup) * perGroup + i1] ?? 0) : (factors[i0] ?? 0),
    ),
    weightOffset: conv.offset('weight'),
    bias: tensorOf(shiftedBias(factors, mean, bias, shift), weight),
    biasOffset: conv.offset('bias'),
  }
}

function factorsOf(variance: Tensor, eps: number, scale: Tensor | null): Float64Array {
  const weights = scale && elementsOf(scale)
  return elementsOf(variance).map((value, i) => (weights?.[i] ?? 1) / Math.sqrt(value + eps))
}

function shiftedBias(
  factors: Float64Array,
  mean: Tensor,
  bias: Tensor | null,
  shift: Tensor | null,
): Float64Array {
  const means = elementsOf(mean)
  const biases = bias && elementsOf(bias)
  const shifts = shift && elementsOf(shift)
  return factors.map((factor, i) => ((biases?.[i] ?? 0) - (means[i] ?? 0)) * factor + (shifts?.[i] ?? 0))
}

/** The constant arguments of a node, by their schema names. */
class Arguments {
  readonly node: Node
  readonly #names: readonly string[]

  constructor(node: Node, cx: PassContext) {
    this.node = node
    this.#names = cx.schemaOf(node)?.arguments.map((argument) => argument.name) ?? []
  }

  offset(name: string): number {
    return this.#names.indexOf(name)
  }

  #value(name: string): Value | undefined {
    return this.node.inputs[this.offset(name)]
  }

  bool(name: string): boolean | undefined {
    const value = this.#value(name)
    return value && constantBool(value)
  }

  int(name: string): number | undefined {
    const value = this.#value(name)
    return value && constantInt(value)
  }

  number(name: string): number | undefined {
    const value = this.#value(name)
    return value && constantNumber(value)
  }

  tensor(name: string): Tensor | undefined {
    return this.optionalTensor(name) ?? undefined
  }

  /** `null` for a constant None; undefined for anything that is no constant. */
  optionalTensor(name: string): Tensor | null | undefined {
    const value = this.#value(name)
    const constant = value && constantOf(value)
    return constant === null || constant instanceof Tensor ? constant : undefined
  }

  /** Whether a convolution is transposed; undefined if that is known only at run time. */
  get isTransposed(): boolean | undefined {
    return this.offset('transposed') === -1 ? this.node.kind.includes('transpose') : this.bool('transposed')
  }
}
