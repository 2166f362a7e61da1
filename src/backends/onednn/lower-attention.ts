import type { Node, Value } from '../../ir/graph.ts'
import { CallArguments } from './call-arguments.ts'
import { argument, type PostOperation } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { rowMajorOf } from './layout-choices.ts'
import type { Placement } from './placement.ts'

interface Heads {
  readonly batch: number
  readonly tokens: number
  readonly heads: number
  /** Channels of one head. */
  readonly width: number
}

/**
 * Self-attention (`_native_multi_head_attention` of one tensor, without masks and weights): one product for queries,
 * keys and values, whose heads are then looked at in place; nothing is transposed or copied.
 */
const lowerSelfAttention: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const [query, key, value] = [args.tensor('query'), args.tensor('key'), args.tensor('value')]
  if (!query || key !== query || value !== query) return 'query, key and value differ'
  if (args.tensor('mask') || args.number('need_weights') === 1) return 'it has a mask, or gives its weights'
  const tensor = lowering.tensorOf(query)
  const heads = args.number('num_head')
  const [batch, tokens, channels] = tensor.sizes
  if (!heads || tensor.dim !== 3 || !batch || !tokens || !channels)
    return 'its input has not three dimensions'
  const shape = { batch, tokens, heads, width: channels / heads }
  const source = asMatrix(lowering, rowMajorOf(lowering, query), batch * tokens, channels)
  const packed = project(lowering, node, source, args, 'qkv_weight', 'qkv_bias')
  const attended = packed && attend(lowering, node, packed, shape)
  const rows = attended && asMatrix(lowering, attended, batch * tokens, channels)
  const result = rows && project(lowering, node, rows, args, 'proj_weight', 'proj_bias')
  if (!result) return 'the library has no such product'
  const { sizes } = lowering.tensorOf(node.output(0))
  const strides = [tokens * channels, channels, 1]
  lowering.define(node.output(0), {
    ...result,
    descriptor: lowering.dnnl.describe('float32', sizes, strides),
  })
  return undefined
}

function asMatrix(lowering: Lowering, placement: Placement, rows: number, columns: number): Placement {
  return { ...placement, descriptor: lowering.dnnl.describe('float32', [rows, columns], [columns, 1]) }
}

/** Rows times a transposed weight, plus a bias. */
function project(
  lowering: Lowering,
  node: Node,
  source: Placement,
  args: CallArguments,
  weightName: string,
  biasName: string,
): Placement | undefined {
  const [weight, bias] = [args.tensor(weightName), args.tensor(biasName)]
  if (!weight || !bias) return undefined
  const tensor = lowering.tensorOf(weight)
  const [outputs = 1, inputs = 1] = tensor.sizes
  const { dnnl } = lowering
  if (tensor.isMeta) return undefined
  const destination = dnnl.describe('float32', [source.descriptor.sizes[0] as number, outputs], [outputs, 1])
  const biasDescriptor = dnnl.describe('float32', [1, outputs], [outputs, 1])
  const primitive = lowering.tryCreate({
    kind: 'matmul',
    source: source.descriptor,
    weights: dnnl.describe('float32', [inputs, outputs], 'any'),
    bias: biasDescriptor,
    destination,
  })
  if (!primitive) return undefined
  const plain = dnnl.describe(
    'float32',
    [inputs, outputs],
    [tensor.strides[1] as number, tensor.strides[0] as number],
  )
  const result = lowering.allocate(destination)
  lowering.add(
    primitive,
    [node],
    [
      { argument: argument.source, placement: source },
      {
        argument: argument.weights,
        placement: lowering.packed(tensor, primitive.descriptor('weights'), plain),
      },
      { argument: argument.bias, placement: { ...lowering.home(bias), descriptor: biasDescriptor } },
    ],
    result,
  )
  return result
}

function attend(lowering: Lowering, node: Node, packed: Placement, shape: Heads): Placement | undefined {
  const { dnnl } = lowering
  const { batch, tokens, heads, width } = shape
  const channels = heads * width
  const row = 3 * channels
  const part = (i: number, transposed: boolean): Placement => ({
    buffer: packed.buffer,
    offset: packed.offset + 4 * i * channels,
    descriptor: dnnl.describe(
      'float32',
      transposed ? [batch, heads, width, tokens] : [batch, heads, tokens, width],
      transposed ? [tokens * row, width, 1, row] : [tokens * row, width, row, 1],
    ),
  })
  const scoreStrides = [heads * tokens * tokens, tokens * tokens, tokens, 1]
  const scores = lowering.allocate(dnnl.describe('float32', [batch, heads, tokens, tokens], scoreStrides))
  const scale: PostOperation = { kind: 'eltwise', algorithm: 'linear', alpha: 1 / Math.sqrt(width), beta: 0 }
  const weights = lowering.allocate(scores.descriptor)
  const softmax = lowering.tryCreate({ kind: 'softmax', logarithm: false, axis: 3, data: scores.descriptor })
  const result = lowering.allocate(
    dnnl.describe('float32', [batch, heads, tokens, width], [tokens * channels, width, channels, 1]),
  )
  if (!softmax || !product(lowering, node, part(0, false), part(1, true), scores, [scale])) return undefined
  lowering.addUnary(softmax, [node], scores, weights)
  return product(lowering, node, weights, part(2, false), result, []) ? result : undefined
}

function product(
  lowering: Lowering,
  node: Node,
  left: Placement,
  right: Placement,
  result: Placement,
  postOperations: readonly PostOperation[],
): boolean {
  const primitive = lowering.tryCreate(
    {
      kind: 'matmul',
      source: left.descriptor,
      weights: right.descriptor,
      bias: undefined,
      destination: result.descriptor,
    },
    postOperations,
  )
  if (!primitive) return false
  lowering.add(
    primitive,
    [node],
    [
      { argument: argument.source, placement: left },
      { argument: argument.weights, placement: right },
    ],
    result,
  )
  return true
}

export const attentionRules: Readonly<Record<string, LoweringRule>> = {
  'aten::_native_multi_head_attention': lowerSelfAttention,
}

/** Whether every output but the first is unused: such a node may be lowered for its first alone. */
export function onlyFirstIsUsed(node: Node): boolean {
  return node.outputs.slice(1).every((value: Value) => value.uses.length === 0)
}
