import type { Tensor } from '../tensor/tensor.ts'
import { mapBinary } from './elementwise.ts'
import { allocate, convert } from './tensor-access.ts'

/** A bool mask hides where it is false; any other is added. */
export function withMask(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return scores
  if (mask.dtype === 'bool') return hide(scores, mask, 0)
  return mapBinary(scores, mask, scores.dtype, scores.dtype, { number: (a, b) => a + b })
}

/** -∞ wherever the mask holds `hidden`. */
export function hide(scores: Tensor, mask: Tensor, hidden: 0 | 1): Tensor {
  const flags = convert(mask, scores.dtype)
  return mapBinary(scores, flags, scores.dtype, scores.dtype, {
    number: (score, flag) => (flag === hidden ? -Infinity : score),
  })
}

/** True on and below the diagonal. */
export function futureMask(rows: number, columns: number): Tensor {
  const mask = allocate('bool', [rows, columns])
  const { data } = mask
  for (let row = 0; row < rows; row++)
    data.fill(1 as never, row * columns, row * columns + Math.min(row + 1, columns))
  return mask
}
