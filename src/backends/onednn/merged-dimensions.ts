/**
 * The fewest dimensions in which a row-major tensor meets a row-major operand that is broadcast to it: neighbours that the
 * operand has both whole, or both not, are one. `[2, 3, 4, 5]` and `[1, 1, 4, 5]` are `[6, 20]` and `[1, 20]`.
 *
 * @param operand sizes, as many as the tensor has or fewer, each its size or 1
 */
export function mergedDimensions(
  sizes: readonly number[],
  operand: readonly number[],
): readonly [sizes: readonly number[], operand: readonly number[]] {
  const missing = sizes.length - operand.length
  const merged: number[] = []
  const mergedOperand: number[] = []
  let wasBroadcast: boolean | undefined
  sizes.forEach((size, i) => {
    if (size === 1) return
    const own = i < missing ? 1 : operand[i - missing]!
    const isBroadcast = own === 1
    if (isBroadcast === wasBroadcast) {
      merged.push(merged.pop()! * size)
      mergedOperand.push(mergedOperand.pop()! * own)
    } else {
      merged.push(size)
      mergedOperand.push(own)
    }
    wasBroadcast = isBroadcast
  })
  return merged.length === 0 ? [[1], [1]] : [merged, mergedOperand]
}
