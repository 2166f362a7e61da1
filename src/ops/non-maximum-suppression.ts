import type { Tensor } from '../tensor/tensor.ts'
import { sizesText } from './convolution-geometry.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating, requireSameDType } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { sortedPositions } from './sorting.ts'
import { allocate, floatData } from './tensor-access.ts'

/**
 * Positions of the boxes to keep, best score first: a box is dropped where it overlaps a better one that is kept by
 * more than the threshold (intersection over union). Boxes are n × 4 (x1, y1, x2, y2), scores n.
 * Computed in the boxes' own precision (torchvision/csrc/ops/cpu/nms_kernel.cpp): close calls fall as they do there.
 *
 * @throws OperatorArgumentError for other shapes, unlike dtypes or no floats
 */
export function nonMaximumSuppression(boxes: Tensor, scores: Tensor, threshold: number): Tensor {
  checkBoxes(boxes, scores)
  const count = boxes.sizes[0]!
  const corners = floatData(boxes)
  const order = sortedPositions(scores, 0, true).data as BigInt64Array
  const overlap = overlapOf(corners, boxes.dtype === 'float64' ? (x) => x : Math.fround)
  const suppressed = new Uint8Array(count)
  const kept: bigint[] = []
  for (let i = 0; i < count; i++) {
    const best = Number(order[i]!)
    if (suppressed[best] === 1) continue
    kept.push(order[i]!)
    for (let j = i + 1; j < count; j++) {
      const other = Number(order[j]!)
      if (suppressed[other] === 0 && overlap(best, other) > threshold) suppressed[other] = 1
    }
  }
  const result = allocate('int64', [kept.length])
  ;(result.data as BigInt64Array).set(kept)
  return result
}

function checkBoxes(boxes: Tensor, scores: Tensor): void {
  if (boxes.dim !== 2 || boxes.sizes[1] !== 4)
    throw new OperatorArgumentError(`boxes should be of size [n, 4], got ${sizesText(boxes.sizes)}`, {
      argument: 'dets',
    })
  if (scores.dim !== 1 || scores.sizes[0] !== boxes.sizes[0])
    throw new OperatorArgumentError(
      `boxes and scores should have same number of elements in dimension 0, ` +
        `got ${boxes.sizes[0]!} boxes and scores of size ${sizesText(scores.sizes)}`,
      { argument: 'scores' },
    )
  requireSameDType(boxes, { scores })
  requireFloating(boxes, 'nms')
}

/** Intersection over union of two boxes, each step rounded. */
function overlapOf(
  corners: Float32Array | Float64Array,
  round: (x: number) => number,
): (a: number, b: number) => number {
  const side = (box: number, axis: number): number =>
    round(corners[4 * box + axis + 2]! - corners[4 * box + axis]!)
  const area = (box: number): number => round(side(box, 0) * side(box, 1))
  // A comparison with NaN fails, and so leaves the first of the two: `Math.max` would not.
  const extent = (a: number, b: number, axis: number): number => {
    const [a1, b1] = [corners[4 * a + axis]!, corners[4 * b + axis]!]
    const [a2, b2] = [corners[4 * a + axis + 2]!, corners[4 * b + axis + 2]!]
    const length = round((b2 < a2 ? b2 : a2) - (a1 < b1 ? b1 : a1))
    return length > 0 ? length : 0
  }
  return (a, b) => {
    const shared = round(extent(a, b, 0) * extent(a, b, 1))
    return round(shared / round(round(area(a) + area(b)) - shared))
  }
}

export const nonMaximumSuppressionOperators: readonly Operator[] = [
  defineOp('torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor', {
    reference: ({ dets, scores, iou_threshold }) => nonMaximumSuppression(dets, scores, iou_threshold),
  }),
]
