import type { Node, Value } from '../../ir/graph.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { CallArguments } from './call-arguments.ts'
import { copyStrides, denseOrCopied, rowMajor } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import { poolMean } from './lower-pooling.ts'
import type { LoweringRule } from './lowering-rules.ts'

/** `contiguous`, `clone`, and a `reshape` that has to copy: the elements in the order of the result. */
const lowerCopy: LoweringRule = (node, lowering) => {
  const [input] = node.inputs
  if (!input || !lowering.isTensor(input)) return 'its operand is no tensor'
  const [source, result] = [lowering.tensorOf(input), lowering.tensorOf(node.output())]
  if (source.dtype !== result.dtype || source.numel === 0) return 'it converts elements'
  if (source.dtype !== 'float32') return `no kernel for ${source.dtype}`
  if (!result.isContiguous && source.sizes.join() !== result.sizes.join())
    return 'its result is no row-major tensor'
  copyInto(lowering, node, input, source, result)
  return undefined
}

function copyInto(lowering: Lowering, node: Node, input: Value, source: Tensor, result: Tensor): void {
  const current = lowering.current(input)
  const { strides } = current.descriptor
  if (result.isContiguous && source.sizes.join() === result.sizes.join() && strides && !strides.includes(0)) {
    const kept = lowering.dnnl.describe('float32', source.sizes, copyStrides(source.sizes, strides))
    const copy = lowering.allocate(kept)
    lowering.reorder(current, copy, node)
    lowering.define(node.output(), copy)
    return
  }
  const destination = lowering.defineHome(node.output())
  const wanted = result.isContiguous ? rowMajor(lowering, source.sizes) : destination.descriptor
  lowering.reorder(lowering.current(input), { ...destination, descriptor: wanted }, node)
}

/** Means and sums over dimensions. */
const lowerReduction: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const input = args.tensor('self')
  const dims = args.numbers('dim', 1)
  if (!input || !dims || dims.length === 0) return 'its dimensions are not constant'
  const [source, result] = [lowering.tensorOf(input), lowering.tensorOf(node.output())]
  if (source.dtype !== 'float32' || result.dtype !== 'float32' || source.numel === 0)
    return 'no kernel for its dtypes'
  const reduced = new Set(dims.map((dim) => (dim < 0 ? dim + source.dim : dim)))
  if (node.kind === 'aten::mean' && poolMean(node, lowering, input, reduced)) return undefined
  const sizes = source.sizes.map((size, axis) => (reduced.has(axis) ? 1 : size))
  const from = denseOrCopied(lowering, input)
  const destination = lowering.defineHome(node.output())
  const wanted = rowMajor(lowering, sizes)
  const primitive = lowering.tryCreate({
    kind: 'reduction',
    algorithm: node.kind === 'aten::mean' ? 'mean' : 'sum',
    source: from.descriptor,
    destination: wanted,
  })
  if (primitive === undefined) return 'the library has no such reduction'
  lowering.addUnary(primitive, [node], from, { ...destination, descriptor: wanted })
  return undefined
}

/** Enlarging images; bilinear by the library only where corners are not aligned, as it counts positions. */
const lowerResampling: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const input = args.tensor('self') ?? args.tensor('input')
  if (!input) return 'its operand is no tensor'
  const [source, result] = [lowering.tensorOf(input), lowering.tensorOf(node.output())]
  if (source.dtype !== 'float32') return `no kernel for ${source.dtype}`
  if (args.number('align_corners') === 1) return 'the library does not align corners'
  const linear = node.kind.includes('linear')
  const ratios = result.sizes.slice(2).map((size, i) => size / source.sizes[i + 2]!)
  if (!linear && !ratios.every(Number.isInteger)) return 'the library counts positions otherwise'
  if (!scalesOf(args, ratios.length).every((scale, i) => (scale ?? ratios[i]) === ratios[i]))
    return 'its scales are not those of its sizes'
  const from = denseOrCopied(lowering, input)
  const primitive = lowering.tryCreate({
    kind: 'resampling',
    algorithm: linear ? 'linear' : 'nearest',
    source: from.descriptor,
    destination: lowering.any(result),
  })
  if (primitive === undefined) return 'the library has no such resampling'
  const destination = lowering.allocate(primitive.descriptor('destination'))
  lowering.addUnary(primitive, [node], from, destination)
  lowering.define(node.output(), destination)
  return undefined
}

/** Factors that count for positions in place of the sizes; undefined where there is none. */
function scalesOf(args: CallArguments, count: number): readonly (number | undefined)[] {
  if (args.has('scale_factors')) return args.floats('scale_factors') ?? []
  const names = count === 1 ? ['scales'] : ['scales_d', 'scales_h', 'scales_w'].slice(-count)
  return names.map((name) => args.number(name))
}

export const copyingRules: Readonly<Record<string, LoweringRule>> = {
  'aten::contiguous': lowerCopy,
  'aten::clone': lowerCopy,
  'aten::reshape': lowerCopy,
  'aten::flatten': lowerCopy,
  'aten::mean': lowerReduction,
  'aten::sum': lowerReduction,
  'aten::upsample_nearest2d': lowerResampling,
  'aten::upsample_bilinear2d': lowerResampling,
}
