import { argument } from './binding/dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import { imagesOrCopied } from './layout-choices.ts'
import type { LoweringRule } from './lowering-rules.ts'

/** Slopes of their own for each channel (He et al. 2015), in whatever layout the input is in; one for all is a leaky ReLU. */
const lowerPrelu: LoweringRule = (node, lowering, { mayOverwrite }) => {
  const args = new CallArguments(node, lowering)
  const [input, weight] = [args.tensor('self'), args.tensor('weight')]
  if (!input || !weight) return 'its operands are no tensors'
  const [tensor, slopes] = [lowering.tensorOf(input), lowering.tensorOf(weight)]
  if (tensor.dtype !== 'float32' || slopes.dtype !== 'float32') return `no kernel for ${tensor.dtype}`
  if (tensor.dim < 2 || tensor.dim > 5 || tensor.numel === 0) return 'the library has no such dimensions'
  if (slopes.isMeta) return 'its slopes are computed'
  const sizes = tensor.sizes.map((_, axis) => (axis === 1 ? slopes.numel : 1))
  const source = imagesOrCopied(lowering, input)
  const primitive = lowering.tryCreate({
    kind: 'prelu',
    data: source.descriptor,
    weights: lowering.dnnl.describe('float32', sizes, 'any'),
  })
  if (primitive === undefined) return 'the library has no such slopes'
  const wanted = primitive.descriptor('weights')
  const strides = sizes.map((_, axis) => (axis === 0 ? slopes.numel : 1))
  const placement = lowering.packed(slopes, wanted, lowering.dnnl.describe('float32', sizes, strides))
  const destination = mayOverwrite(input) ? source : lowering.allocate(source.descriptor)
  lowering.add(
    primitive,
    [node],
    [
      { argument: argument.source, placement: source },
      { argument: argument.weights, placement },
    ],
    destination,
  )
  lowering.define(node.output(), destination)
  return undefined
}

export const preluRules: Readonly<Record<string, LoweringRule>> = { 'aten::prelu': lowerPrelu }
