import type { Tensor } from '../tensor/tensor.ts'
import { gelu, relu } from './activation.ts'
import { addScaled } from './arithmetic.ts'
import { multiHeadAttention } from './attention.ts'
import { layerNorm } from './layer-norm.ts'
import { linear } from './linear.ts'
import { defineOp, type Operator } from './operator.ts'

interface EncoderLayerArguments {
  readonly src: Tensor
  readonly embed_dim: number
  readonly num_heads: number
  readonly qkv_weight: Tensor
  readonly qkv_bias: Tensor
  readonly proj_weight: Tensor
  readonly proj_bias: Tensor
  readonly use_gelu: boolean
  readonly norm_first: boolean
  readonly eps: number
  readonly norm_weight_1: Tensor
  readonly norm_bias_1: Tensor
  readonly norm_weight_2: Tensor
  readonly norm_bias_2: Tensor
  readonly ffn_weight_1: Tensor
  readonly ffn_bias_1: Tensor
  readonly ffn_weight_2: Tensor
  readonly ffn_bias_2: Tensor
  readonly mask: Tensor | null
  readonly mask_type: number | null
}

/**
 * The fused `nn.TransformerEncoderLayer` of eval mode: batch × steps × width in and out (Vaswani et al. 2017; norms
 * before or behind each part).
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
function encoderLayer(args: EncoderLayerArguments): Tensor {
  const { norm_first: before } = args
  const firstNorm = (x: Tensor): Tensor => normalized(x, args.norm_weight_1, args.norm_bias_1, args)
  const secondNorm = (x: Tensor): Tensor => normalized(x, args.norm_weight_2, args.norm_bias_2, args)
  const attended = addScaled(attention(before ? firstNorm(args.src) : args.src, args), args.src)
  const middle = before ? attended : firstNorm(attended)
  const result = addScaled(feedForward(before ? secondNorm(middle) : middle, args), middle)
  return before ? result : secondNorm(result)
}

function normalized(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { embed_dim, eps }: EncoderLayerArguments,
): Tensor {
  return layerNorm(x, [embed_dim], weight, bias, eps).output
}

function attention(x: Tensor, args: EncoderLayerArguments): Tensor {
  const [output] = multiHeadAttention({
    ...args,
    query: x,
    key: x,
    value: x,
    num_head: args.num_heads,
    need_weights: false,
    average_attn_weights: true,
  })
  return output!
}

function feedForward(x: Tensor, args: EncoderLayerArguments): Tensor {
  const inner = linear(x, args.ffn_weight_1, args.ffn_bias_1)
  return linear(args.use_gelu ? gelu(inner, 'none') : relu(inner), args.ffn_weight_2, args.ffn_bias_2)
}

export const encoderLayerOperators: readonly Operator[] = [
  defineOp(
    'aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, Tensor norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor',
    {
      parts: {
        qkv_weight: 'weight',
        qkv_bias: 'bias',
        proj_weight: 'weight',
        proj_bias: 'bias',
        norm_weight_1: 'weight',
        norm_bias_1: 'bias',
        norm_weight_2: 'weight',
        norm_bias_2: 'bias',
        ffn_weight_1: 'weight',
        ffn_bias_1: 'bias',
        ffn_weight_2: 'weight',
        ffn_bias_2: 'bias',
      },
      reference: encoderLayer,
    },
  ),
]
