import { Double } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { futureMask, withMask } from './attention-mask.ts'
import type { LaterArguments } from './attention.ts'
import { intList, type CallOperator } from './decomposition.ts'
import { allocate, contiguousData } from './tensor-access.ts'

/** Two products with a softmax between; not for queries in groups, nor for matrices that share a batch. */
export function decomposeAttention(args: LaterArguments, call: CallOperator): Tensor | undefined {
  const { query, key, value } = args
  const isAlike = (tensor: Tensor): boolean =>
    tensor.dim === query.dim && tensor.sizes.slice(0, -2).join() === query.sizes.slice(0, -2).join()
  if (args.enable_gqa || args.dropout_p !== 0 || !isAlike(key) || !isAlike(value)) return undefined
  const scale = args.scale ?? 1 / Math.sqrt(query.sizes.at(-1)!)
  const products = call('aten::matmul', query, call('aten::transpose.int', key, -2, -1))
  const scores = call('aten::mul.Scalar', products, new Double(scale))
  const weights = maskedWeights(scores, args, call)
  return weights && call('aten::matmul', weights, value)
}

function maskedWeights(scores: Tensor, args: LaterArguments, call: CallOperator): Tensor | undefined {
  const { attn_mask: mask, is_causal: causal } = args
  const future = causal ? knownMask(scores, futureMask(scores.sizes.at(-2)!, scores.sizes.at(-1)!)) : null
  if (mask?.isMeta === true) return weightsOfMask(scores, computedMask(scores, mask, future, call), call)
  const known = mask === null ? future : withMask(knownMask(scores, mask), future)
  if (known === null) return softmax(scores, call)
  return hidesRow(known) ? undefined : softmax(call('aten::add.Tensor', scores, known, 1), call)
}

function softmax(scores: Tensor, call: CallOperator): Tensor {
  return call('aten::softmax.int', scores, -1, null)
}

/** What is added: -∞ where a bool mask is false. */
function knownMask({ dtype }: Tensor, mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? withMask(allocate(dtype, mask.sizes), mask) : mask
}

function computedMask({ dtype }: Tensor, mask: Tensor, future: Tensor | null, call: CallOperator): Tensor {
  const added =
    mask.dtype === 'bool'
      ? call(
          'aten::masked_fill.Scalar',
          ...[allocate(dtype, mask.sizes), call('aten::logical_not', mask), new Double(-Infinity)],
        )
      : mask
  return future === null ? added : call('aten::add.Tensor', added, future, 1)
}

/** Rows whose keys are all hidden, which would be NaN, count as if none were, and are made 0. */
function weightsOfMask(scores: Tensor, mask: Tensor, call: CallOperator): Tensor {
  const hidden = call('aten::eq.Scalar', call('aten::amax', mask, intList([-1]), true), new Double(-Infinity))
  const shown = call('aten::masked_fill.Scalar', mask, hidden, new Double(0))
  const zeros = allocate(scores.dtype, hidden.sizes)
  const factor = call('aten::masked_fill.Scalar', zeros, call('aten::logical_not', hidden), new Double(1))
  return call('aten::mul.Tensor', softmax(call('aten::add.Tensor', scores, shown, 1), call), factor)
}

function hidesRow(mask: Tensor): boolean {
  const data = contiguousData(mask)
  const columns = mask.sizes.at(-1) ?? 1
  for (let row = 0; row < data.length; row += columns)
    if (data.subarray(row, row + columns).every((added) => added === -Infinity)) return true
  return false
}
