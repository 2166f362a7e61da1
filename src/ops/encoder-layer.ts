import { Double } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { gelu, relu } from './activation.ts'
import { addScaled } from './arithmetic.ts'
import { multiHeadAttention } from './attention.ts'
import { intList, type CallOperator } from './decomposition.ts'
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

/** What a layer is made of: kernels, or calls of the operators of these names. */
interface Parts {
  add(x: Tensor, y: Tensor): Tensor
  linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor
  norm(x: Tensor, weight: Tensor, bias: Tensor): Tensor
  activate(x: Tensor): Tensor
  attend(x: Tensor): Tensor
}

/**
 * The fused `nn.TransformerEncoderLayer` of eval mode: batch × steps × width in and out (Vaswani et al. 2017; norms
 * before or behind each part).
 *
 * @throws OperatorArgumentError when sizes or dtypes do not fit
 */
function encoderLayer(args: EncoderLayerArguments, parts: Parts): Tensor {
  const { norm_first: before } = args
  const firstNorm = (x: Tensor): Tensor => parts.norm(x, args.norm_weight_1, args.norm_bias_1)
  const secondNorm = (x: Tensor): Tensor => parts.norm(x, args.norm_weight_2, args.norm_bias_2)
  const feedForward = (x: Tensor): Tensor => {
    const inner = parts.activate(parts.linear(x, args.ffn_weight_1, args.ffn_bias_1))
    return parts.linear(inner, args.ffn_weight_2, args.ffn_bias_2)
  }
  const attended = parts.add(parts.attend(before ? firstNorm(args.src) : args.src), args.src)
  const middle = before ? attended : firstNorm(attended)
  const result = parts.add(feedForward(before ? secondNorm(middle) : middle), middle)
  return before ? result : secondNorm(result)
}

function kernels(args: EncoderLayerArguments): Parts {
  const { embed_dim, num_heads: num_head, eps, use_gelu } = args
  const flags = { need_weights: false, average_attn_weights: true }
  return {
    add: addScaled,
    linear,
    norm: (x, weight, bias) => layerNorm(x, [embed_dim], weight, bias, eps).output,
    activate: (x) => (use_gelu ? gelu(x, 'none') : relu(x)),
    attend: (x) => multiHeadAttention({ ...args, ...flags, query: x, key: x, value: x, num_head })[0]!,
  }
}

function calls(args: EncoderLayerArguments, call: CallOperator): Parts {
  const { embed_dim: width, num_heads: heads, eps, mask, mask_type: maskType } = args
  const { qkv_weight, qkv_bias, proj_weight, proj_bias } = args
  return {
    add: (x, y) => call('aten::add.Tensor', x, y, 1),
    linear: (...operands) => call('aten::linear', ...operands),
    norm: (x, weight, bias) =>
      call('aten::layer_norm', x, intList([width]), weight, bias, new Double(eps), false),
    activate: (x) => (args.use_gelu ? call('aten::gelu', x, 'none') : call('aten::relu', x)),
    attend: (x) =>
      call(
        'aten::_native_multi_head_attention',
        ...[x, x, x, width, heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask],
        ...[false, true, maskType],
      ),
  }
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
      reference: (args) => encoderLayer(args, kernels(args)),
      decompose: (args, call) => encoderLayer(args, calls(args, call)),
    },
  ),
]
