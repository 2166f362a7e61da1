/** Nested loops over several operands of one shape: dimensions reordered and merged, slowest first. */
export interface StridedLoop {
  readonly sizes: readonly number[]
  /** One list per operand, in elements. */
  readonly strides: readonly (readonly number[])[]
  /** Elements of the innermost dimension. */
  readonly rowLength: number
}

/**
 * Plans a walk over all elements: dimensions of size 1 are dropped, the others ordered by the first operand's
 * strides, and neighbours merged wherever every operand steps through them evenly (TensorIterator's coalescing).
 */
export function planLoop(sizes: readonly number[], operands: readonly (readonly number[])[]): StridedLoop {
  const [first] = operands
  const order: number[] = []
  sizes.forEach((size, dim) => {
    if (size !== 1) order.push(dim)
  })
  if (first) order.sort((a, b) => Math.abs(first[b]!) - Math.abs(first[a]!) || a - b)
  const merged: number[] = []
  const strides = operands.map((): number[] => [])
  for (const dim of order) {
    const last = merged.length - 1
    const size = sizes[dim]!
    if (last >= 0 && operands.every((operand, i) => strides[i]![last] === operand[dim]! * size)) {
      merged[last]! *= size
      operands.forEach((operand, i) => (strides[i]![last] = operand[dim]!))
    } else {
      merged.push(size)
      operands.forEach((operand, i) => strides[i]!.push(operand[dim]!))
    }
  }
  if (merged.length === 0) {
    merged.push(1)
    for (const list of strides) list.push(0)
  }
  return { sizes: merged, strides, rowLength: merged[merged.length - 1]! }
}

/** The stride of each operand in the innermost dimension. */
export function rowStrides(loop: StridedLoop): number[] {
  return loop.strides.map((list) => list[list.length - 1]!)
}

/**
 * Calls `body` for each row (innermost dimension). `offsets` holds where each operand's row begins: it is given
 * with the operands' storage offsets, and changed in place from call to call.
 */
export function forEachRow(
  loop: StridedLoop,
  offsets: number[],
  body: (offsets: readonly number[]) => void,
): void {
  const { sizes, strides } = loop
  if (sizes.includes(0)) return
  const outer = sizes.length - 1
  const index = new Array<number>(outer).fill(0)
  for (;;) {
    body(offsets)
    let dim = outer - 1
    for (; dim >= 0; dim--) {
      if (++index[dim]! < sizes[dim]!) {
        for (let k = 0; k < offsets.length; k++) offsets[k]! += strides[k]![dim]!
        break
      }
      index[dim] = 0
      for (let k = 0; k < offsets.length; k++) offsets[k]! -= strides[k]![dim]! * (sizes[dim]! - 1)
    }
    if (dim < 0) return
  }
}
