import type { Node, Value } from '../../ir/graph.ts'
import { layoutOf, parseLayout, type BlockedLayout, type Layout } from '../../tensor/layout.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { LayoutPreference, LayoutTarget } from '../layout-target.ts'
import { constantBool, constantInt, constantOf } from './constants.ts'
import { knownSizes } from './reorders.ts'

/**
 * A target that prefers what oneDNN's vector kernels do, decided by shapes alone: for `permafrost opt` and for tests.
 *
 * 1. Convolutions with at least a block of input channels: activations `nChw16c`, weights `OIhw16i16o`.
 * 2. With fewer input channels: a row-major input and weights `Ohwi16o`; the output is blocked all the same.
 * 3. Depthwise: weights `Goihw16g`. Other groups: `gOIhw16i16o` where groups are whole blocks.
 * 4. Where sizes are unknown, only the weight of a convolution without groups is preferred in a layout.
 *
 * @param block channels that lie together
 */
export function blockedTarget(block = 16): LayoutTarget {
  return {
    name: `blocked ${block}`,
    prefer: (node) => (convolutions.has(node.kind) ? preferredBy(node, block) : undefined),
    carries: carriesChannels,
  }
}

/** Operators whose arguments begin as those of `aten::convN`, and the number of spatial axes; undefined by the weight. */
const convolutions = new Map<string, number | undefined>([
  ['aten::conv1d', 1],
  ['aten::conv2d', 2],
  ['aten::conv3d', 3],
  ['aten::convolution', undefined],
  ['aten::_convolution', undefined],
])

interface ConvolutionShape {
  /** Of the weight, tensor axes. */
  readonly rank: number
  readonly outputs: number | undefined
  /** Of one group. */
  readonly inputs: number | undefined
  readonly groups: number
}

function shapeOf(node: Node): ConvolutionShape | undefined {
  const [, weight] = node.inputs
  const isGeneral = convolutions.get(node.kind) === undefined
  const transposed = isGeneral ? node.inputs[6] : undefined
  const groupCount = node.inputs[isGeneral ? 8 : 6]
  const groups = groupCount && constantInt(groupCount)
  if (weight === undefined || groups === undefined || groups < 1) return undefined
  if (transposed && constantBool(transposed) !== false) return undefined
  const sizes = sizesOf(weight)
  const spatial = convolutions.get(node.kind) ?? (sizes ? sizes.length - 2 : undefined)
  if (spatial === undefined || spatial < 1 || spatial > 3) return undefined
  if (sizes !== undefined && sizes.length !== spatial + 2) return undefined
  return { rank: spatial + 2, outputs: sizes?.[0], inputs: sizes?.[1], groups }
}

function sizesOf(value: Value): readonly number[] | undefined {
  const constant = constantOf(value)
  return constant instanceof Tensor ? constant.sizes : knownSizes(value.type)
}

function preferredBy(node: Node, block: number): LayoutPreference | undefined {
  const shape = shapeOf(node)
  const weight = shape && weightLayout(shape, block)
  if (shape === undefined || weight === undefined) return undefined
  const activation = activationLayout(shape.rank, block)
  const { inputs = block, groups } = shape
  const takesBlocks = inputs * groups >= block && knownSizes(node.input().type) !== undefined
  const givesBlocks = shape.outputs !== undefined && knownSizes(node.output().type) !== undefined
  return {
    inputs: node.inputs.map((_, i) => (i === 0 && takesBlocks ? activation : i === 1 ? weight : undefined)),
    outputs: [givesBlocks ? activation : undefined],
  }
}

function activationLayout(rank: number, block: number): BlockedLayout {
  return layoutOf([...Array(rank).keys()], [{ axis: 1, size: block }], 'activation')
}

function weightLayout(
  { rank, outputs, inputs, groups }: ConvolutionShape,
  block: number,
): BlockedLayout | undefined {
  const axes = ['', '', '', 'w', 'hw', 'dhw'][rank] ?? ''
  if (groups > 1) {
    if (outputs === undefined || inputs === undefined || outputs % groups !== 0) return undefined
    const ofGroup = outputs / groups
    if (inputs === 1 && ofGroup === 1)
      return groups < block ? undefined : parseLayout(`Goi${axes}${block}g`, groups)
    const isWhole = ofGroup % block === 0 && inputs % block === 0
    return isWhole ? parseLayout(`gOI${axes}${block}i${block}o`, groups) : undefined
  }
  if ((outputs ?? block) < block) return undefined
  return (inputs ?? block) < block
    ? parseLayout(`O${axes}i${block}o`)
    : parseLayout(`OI${axes}${block}i${block}o`)
}

const pointwise =
  'relu relu6 sigmoid tanh gelu silu elu leaky_relu hardtanh hardswish hardsigmoid clamp abs neg exp sqrt mish softplus'
const binary = 'add sub mul div maximum minimum'
const pools =
  'max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool2d adaptive_max_pool2d'

const channelwise = new Set(
  `${pointwise} ${pools} batch_norm upsample_nearest2d upsample_bilinear2d`
    .split(' ')
    .map((name) => `aten::${name}`),
)
const combining = new Set(binary.split(' ').map((name) => `aten::${name}`))

/** Whether an operator works channel by channel, so that it does not matter how channels lie. */
export function carriesChannels(node: Node, layout: Layout): boolean {
  if (
    layout.kind !== 'blocked' ||
    layout.groups !== undefined ||
    layout.blocks.some(({ axis }) => axis !== 1)
  )
    return false
  if (node.outputs.length !== 1) return false
  if (channelwise.has(node.kind)) return knownSizes(node.output().type)?.length === layout.rank
  if (combining.has(node.kind)) return isCombination(node, layout)
  return node.kind === 'aten::cat' && joinsWholeBlocks(node, layout)
}

/** Of tensors of one shape, numbers, and tensors with a number for each channel. */
function isCombination(node: Node, layout: BlockedLayout): boolean {
  const sizes = knownSizes(node.output().type)
  return (
    sizes?.length === layout.rank &&
    node.inputs.every(({ type }) => {
      const own = knownSizes(type)
      if (type.kind !== 'Tensor' || own?.join() === sizes.join()) return true
      const channelAxis = own ? own.length - layout.rank + 1 : 0
      return own?.every((size, axis) => size === 1 || axis === channelAxis) === true
    })
  )
}

function joinsWholeBlocks(node: Node, layout: BlockedLayout): boolean {
  const dim = node.inputs[1] && constantInt(node.inputs[1])
  const parts = node.input().node.kind === 'prim::ListConstruct' ? node.input().node.inputs : []
  return (
    (dim === 1 || dim === 1 - layout.rank) &&
    parts.length > 0 &&
    parts.every(({ type }) => (knownSizes(type)?.[1] ?? 1) % layout.blockOf(1) === 0)
  )
}
