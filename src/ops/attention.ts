import { numelOf, Tensor } from '../tensor/tensor.ts'
import { futureMask, hide, withMask } from './attention-mask.ts'
import { broadcastSizes, broadcastTo, sameSizes } from './broadcast.ts'
import { sizesText } from './convolution-geometry.ts'
import { decomposeAttention } from './decompose-attention.ts'
import { dropout } from './dropout.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel, requireFloating, requireSameDType } from './float-compute.ts'
import { linear } from './linear.ts'
import { matmul } from './matmul.ts'
import { matrixProduct } from './matrix-product.ts'
import { defineOp, type EvaluationContext, type Operator } from './operator.ts'
import { permute, transpose } from './permuting.ts'
import { reshape, view } from './reshaping.ts'
import { safeSoftmax, softmax } from './softmax.ts'
import { convert } from './tensor-access.ts'
import { mean } from './sums.ts'

interface DotProductArguments {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
  readonly attn_mask: Tensor | null
  readonly dropout_p: number
  readonly is_causal: boolean
}

export interface LaterArguments extends DotProductArguments {
  /** Of the products before the softmax, where it is not 1 / √width. */
  readonly scale: number | null
  readonly enable_gqa: boolean
}

/**
 * softmax(query · keyᵀ / √width + mask) · value over the last two dimensions (Vaswani et al. 2017), and the softmax.
 *
 * @throws OperatorArgumentError for a mask beside `is_causal`, or sizes that do not fit
 */
function dotProductAttention(args: DotProductArguments, context: EvaluationContext): Tensor[] {
  if (args.attn_mask !== null && args.is_causal)
    throw new OperatorArgumentError('explicit attn_mask should not be set when is_causal=True', {
      argument: 'attn_mask',
    })
  checkDotProduct(args)
  const scores = maskedScores(args, scaledScores(args.query, args.key))
  return attendTo(args, softmax(scores, -1), context)
}

/**
 * The attention of later libtorch, whose models call it by its public name: with a scale of the model's own, heads of
 * keys and values that serve several heads of queries, and 0 where every key is hidden (libtorch 2.5). A mask beside
 * `is_causal` is taken, as by libtorch's kernel for four dimensions.
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
function laterAttention(args: LaterArguments, context: EvaluationContext): Tensor {
  const { query, key, value, attn_mask: mask, enable_gqa: grouped } = args
  if (mask !== null && !['bool', 'float32', query.dtype].includes(mask.dtype))
    throw new OperatorArgumentError(
      `expected attn_mask dtype to be bool or float32 or to match query dtype ${query.dtype}, but got ${mask.dtype}`,
      { argument: 'attn_mask' },
    )
  const served = grouped ? { ...args, key: repeatHeads(key, query), value: repeatHeads(value, query) } : args
  checkDotProduct(served)
  const scores = scaledScores(query, served.key, args.scale)
  if (mask !== null && !sameSizes(broadcastSizes(scores.sizes, mask.sizes), scores.sizes))
    throw new OperatorArgumentError(
      `attn_mask of size ${sizesText(mask.sizes)} does not fit scores of size ${sizesText(scores.sizes)}`,
      { argument: 'attn_mask' },
    )
  return attendTo(served, safeSoftmax(maskedScores(served, scores), -1), context)[0]!
}

function checkDotProduct({ query, key, value }: DotProductArguments): void {
  requireFloating(query, 'scaled_dot_product_attention')
  requireSameDType(query, { key, value })
  if ([query, key, value].some((tensor) => tensor.dim < 2))
    throw new OperatorArgumentError('attention needs query, key and value of at least 2 dimensions')
}

function maskedScores({ attn_mask: mask, is_causal: causal }: DotProductArguments, scores: Tensor): Tensor {
  const masked = withMask(scores, mask)
  return causal ? hide(masked, futureMask(scores.sizes.at(-2)!, scores.sizes.at(-1)!), 0) : masked
}

function attendTo(args: DotProductArguments, weights: Tensor, context: EvaluationContext): Tensor[] {
  const kind = { feature: false, alpha: false }
  const kept = dropout(weights, args.dropout_p, true, kind, () => context.random())
  return [matmul(kept, args.value), kept]
}

function scaledScores(query: Tensor, key: Tensor, wanted: number | null = null): Tensor {
  const scale = wanted ?? 1 / Math.sqrt(query.sizes.at(-1)!)
  const scores = matrixProduct(query, transpose(key, -2, -1), { dtype: 'float64' })
  if (scores.isMeta) return Tensor.meta(query.dtype, scores.sizes)
  const { data } = scores
  for (let i = 0; i < data.length; i++) (data as Float64Array)[i]! *= scale
  return fromKernel(scores, query.dtype)
}

/**
 * Grouped queries (Ainslie et al. 2023): each head of keys or values once for every head of queries that it serves.
 *
 * @throws OperatorArgumentError unless the number of heads divides that of the queries
 */
function repeatHeads(tensor: Tensor, query: Tensor): Tensor {
  const [heads, wanted] = [tensor.sizes.at(-3), query.sizes.at(-3)]
  if (heads === undefined || wanted === undefined || heads === 0 || wanted % heads !== 0)
    throw new OperatorArgumentError(
      `enable_gqa: the heads of query, ${sizesText(query.sizes)}, must be a multiple of those of key and value, ` +
        sizesText(tensor.sizes),
    )
  const at = tensor.dim - 2
  const grouped = tensor.asStrided(
    tensor.sizes.toSpliced(at, 0, wanted / heads),
    tensor.strides.toSpliced(at, 0, 0),
  )
  return reshape(grouped, tensor.sizes.with(at - 1, wanted))
}

interface MultiHeadArguments {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
  readonly embed_dim: number
  readonly num_head: number
  readonly qkv_weight: Tensor
  readonly qkv_bias: Tensor
  readonly proj_weight: Tensor
  readonly proj_bias: Tensor
  readonly mask: Tensor | null
  readonly need_weights: boolean
  readonly average_attn_weights: boolean
  readonly mask_type: number | null
}

/**
 * The fused attention of `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` in eval mode: batch × steps × width
 * in and out, and the weights, averaged over heads, if wanted. A mask is true where a key is not to be seen.
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
export function multiHeadAttention(args: MultiHeadArguments): (Tensor | null)[] {
  checkMultiHead(args)
  const { query, key, value, num_head: heads } = args
  const projected = [query, key, value].map((input, part) => splitHeads(project(input, part, args), heads))
  const [q, k, v] = projected as [Tensor, Tensor, Tensor]
  const scores = scaledScores(q, k)
  const weights = softmax(args.mask === null ? scores : hide(scores, fullMask(args.mask, scores), 1), -1)
  const context = permute(matmul(weights, v), [0, 2, 1, 3])
  const output = linear(reshape(context, query.sizes), args.proj_weight, args.proj_bias)
  if (!args.need_weights) return [output, null]
  return [output, args.average_attn_weights ? mean(weights, [1], false, null) : weights]
}

function checkMultiHead(args: MultiHeadArguments): void {
  const { query, key, value, qkv_weight, qkv_bias, proj_weight, proj_bias, embed_dim: width, num_head } = args
  requireFloating(query, '_native_multi_head_attention')
  requireSameDType(query, { key, value, qkv_weight, qkv_bias, proj_weight, proj_bias })
  const fits =
    [query, key, value].every((input) => input.dim === 3 && input.sizes[2] === width) &&
    qkv_weight.sizes.join() === [3 * width, width].join() &&
    qkv_bias.sizes.join() === String(3 * width)
  if (!fits)
    throw new OperatorArgumentError(
      `expected 3-D query, key and value of width ${width}, qkv_weight of ${3 * width} x ${width} and its bias, ` +
        `but got ${[query, key, value, qkv_weight, qkv_bias].map(({ sizes }) => sizesText(sizes)).join(', ')}`,
    )
  if (num_head <= 0 || width % num_head !== 0)
    throw new OperatorArgumentError(`embed_dim ${width} must be divisible by num_heads ${num_head}`)
  if (args.mask !== null && args.mask_type === null)
    throw new OperatorArgumentError('mask type should be defined', { argument: 'mask_type' })
}

/** Query, key or value (part 0, 1, 2) times its third of the packed weights. */
function project(
  input: Tensor,
  part: number,
  { embed_dim: width, qkv_weight, qkv_bias }: MultiHeadArguments,
): Tensor {
  const third = (packed: Tensor): Tensor =>
    packed.asStrided(
      packed.sizes.with(0, width),
      packed.strides,
      packed.storageOffset + part * width * packed.strides[0]!,
    )
  return linear(input, third(qkv_weight), third(qkv_bias))
}

/** batch × steps × width to batch × heads × steps × width per head. */
function splitHeads(tensor: Tensor, heads: number): Tensor {
  const [batch, steps, width] = tensor.sizes as [number, number, number]
  return permute(view(tensor, [batch, steps, heads, width / heads]), [0, 2, 1, 3])
}

/** As libtorch's CPU kernel has it, a matrix masks the keys of each batch, whatever it was meant for. */
function fullMask(mask: Tensor, scores: Tensor): Tensor {
  const [batch, , , columns] = scores.sizes as [number, number, number, number]
  const hidden = convert(mask, 'bool')
  if (mask.dim === 2 && mask.sizes[0] === batch && mask.sizes[1] === columns)
    return broadcastTo(view(reshape(hidden, [numelOf(mask.sizes)]), [batch, 1, 1, columns]), scores.sizes)
  if (mask.sizes.join() === scores.sizes.join()) return hidden
  throw new OperatorArgumentError(
    `expected a mask of size ${sizesText([batch, columns])} or ${sizesText(scores.sizes)}, ` +
      `but got ${sizesText(mask.sizes)}`,
    { argument: 'mask' },
  )
}

export const attentionOperators: readonly Operator[] = [
  defineOp(
    'aten::_scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool need_attn_weights=False, bool is_causal=False) -> (Tensor, Tensor)',
    { isNondeterministic: true, reference: dotProductAttention },
  ),
  defineOp(
    'aten::_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool need_attn_weights=False, bool is_causal=False) -> (Tensor, Tensor)',
    { isNondeterministic: true, reference: dotProductAttention },
  ),
  defineOp(
    'aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor',
    { isNondeterministic: true, decompose: decomposeAttention, reference: laterAttention },
  ),
  defineOp(
    'aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)',
    {
      parts: { qkv_weight: 'weight', qkv_bias: 'bias', proj_weight: 'weight', proj_bias: 'bias' },
      reference: multiHeadAttention,
    },
  ),
]
