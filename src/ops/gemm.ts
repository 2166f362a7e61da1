import { scratchDoubles, tabulate } from './scratch.ts'

/**
 * Matrix products over packed panels. Operands are handed over as packers, so that a convolution's columns and a
 * strided matrix take the same road; sums are doubles, rounded once where they are stored.
 */

/** Rows of the left operand, given four at a time. */
export interface RowSource {
  readonly rows: number
  /** Writes element (row + r, k) to `panel[4k + r]` for r < 4, zero beyond the last row. */
  packRows(panel: Float64Array, row: number): void
}

/** Columns of the right operand, given four at a time. */
export interface ColumnSource {
  readonly columns: number
  /** Writes element (k, column + c) to `panel[at + 4k + c]` for c < 4, zero beyond the last column. */
  packColumns(panel: Float64Array, at: number, column: number): void
}

/** Where the product goes. */
export interface ProductTarget {
  readonly data: Float32Array | Float64Array
  /** Element of row 0, column 0; all in elements. */
  readonly offset: number
  readonly rowStride: number
  readonly columnStride: number
  /** Added to every element of a row, before the one rounding. */
  readonly rowBias?: Float64Array
}

const tileSize = 4
/** Bytes of packed columns that are kept at hand while all rows pass by: a good part of a level-2 cache. */
const blockBytes = 1 << 19
const smallestBlock = 32
/** Beyond this length of the sums, memory is dearer than packing the rows again. */
const deepSum = 1 << 18

/** target = left · right, for a common depth (length of the sums). Costs 2 · rows · columns · depth operations. */
export function multiplyPacked(
  left: RowSource,
  right: ColumnSource,
  depth: number,
  target: ProductTarget,
): void {
  const block = blockColumns(depth, right.columns)
  const rowPanel = scratchDoubles(tileSize * depth)
  const columnPanels = scratchDoubles(block * depth)
  const tile = new Float64Array(tileSize * tileSize)
  for (let start = 0; start < right.columns; start += block) {
    const end = Math.min(start + block, right.columns)
    for (let column = start; column < end; column += tileSize)
      right.packColumns(columnPanels, (column - start) * depth, column)
    for (let row = 0; row < left.rows; row += tileSize) {
      left.packRows(rowPanel, row)
      const rows = Math.min(tileSize, left.rows - row)
      for (let column = start; column < end; column += tileSize) {
        const columns = Math.min(tileSize, end - column)
        const kernel = columns === 1 ? multiplyColumn : multiplyTile
        kernel(tile, depth, rowPanel, columnPanels, (column - start) * depth)
        storeTile(target, tile, row, column, rows, columns)
      }
    }
  }
}

function blockColumns(depth: number, columns: number): number {
  const fitting = Math.floor(blockBytes / 8 / Math.max(depth, 1) / tileSize) * tileSize
  const wanted = Math.ceil(columns / tileSize) * tileSize
  const deepest = depth > deepSum ? tileSize : smallestBlock
  return Math.min(wanted, Math.max(deepest, fitting))
}

/** Four rows by four columns, in sixteen local sums: what fits the registers of a scalar engine. */
function multiplyTile(
  tile: Float64Array,
  depth: number,
  rows: Float64Array,
  columns: Float64Array,
  at: number,
): void {
  let c00 = 0
  let c01 = 0
  let c02 = 0
  let c03 = 0
  let c10 = 0
  let c11 = 0
  let c12 = 0
  let c13 = 0
  let c20 = 0
  let c21 = 0
  let c22 = 0
  let c23 = 0
  let c30 = 0
  let c31 = 0
  let c32 = 0
  let c33 = 0
  for (let i = 0, j = at; i < 4 * depth; i += 4, j += 4) {
    const b0 = columns[j]!
    const b1 = columns[j + 1]!
    const b2 = columns[j + 2]!
    const b3 = columns[j + 3]!
    const a0 = rows[i]!
    c00 += a0 * b0
    c01 += a0 * b1
    c02 += a0 * b2
    c03 += a0 * b3
    const a1 = rows[i + 1]!
    c10 += a1 * b0
    c11 += a1 * b1
    c12 += a1 * b2
    c13 += a1 * b3
    const a2 = rows[i + 2]!
    c20 += a2 * b0
    c21 += a2 * b1
    c22 += a2 * b2
    c23 += a2 * b3
    const a3 = rows[i + 3]!
    c30 += a3 * b0
    c31 += a3 * b1
    c32 += a3 * b2
    c33 += a3 * b3
  }
  tile[0] = c00
  tile[1] = c01
  tile[2] = c02
  tile[3] = c03
  tile[4] = c10
  tile[5] = c11
  tile[6] = c12
  tile[7] = c13
  tile[8] = c20
  tile[9] = c21
  tile[10] = c22
  tile[11] = c23
  tile[12] = c30
  tile[13] = c31
  tile[14] = c32
  tile[15] = c33
}

/** Four rows by one column, so that a vector costs a quarter of a tile. */
function multiplyColumn(
  tile: Float64Array,
  depth: number,
  rows: Float64Array,
  columns: Float64Array,
  at: number,
): void {
  let c0 = 0
  let c1 = 0
  let c2 = 0
  let c3 = 0
  for (let i = 0, j = at; i < 4 * depth; i += 4, j += 4) {
    const b = columns[j]!
    c0 += rows[i]! * b
    c1 += rows[i + 1]! * b
    c2 += rows[i + 2]! * b
    c3 += rows[i + 3]! * b
  }
  tile[0] = c0
  tile[4] = c1
  tile[8] = c2
  tile[12] = c3
}

function storeTile(
  target: ProductTarget,
  tile: Float64Array,
  row: number,
  column: number,
  rows: number,
  columns: number,
): void {
  const { data, rowStride, columnStride, rowBias } = target
  for (let r = 0; r < rows; r++) {
    const bias = rowBias === undefined ? 0 : rowBias[row + r]!
    let at = target.offset + (row + r) * rowStride + column * columnStride
    for (let c = 0; c < columns; c++, at += columnStride) data[at] = tile[4 * r + c]! + bias
  }
}

type Floats = Float32Array | Float64Array

/** Rows of a matrix in memory: element (row, k) lies at `offset + row · rowStride + depthOffsets[k]`. */
export function stridedRows(
  data: Floats,
  offset: number,
  rows: number,
  rowStride: number,
  depthOffsets: Int32Array,
): RowSource {
  return {
    rows,
    packRows(panel, row) {
      for (let r = 0; r < tileSize; r++)
        if (row + r < rows) packRow(panel, r, data, offset + (row + r) * rowStride, depthOffsets)
        else clearRow(panel, r)
    },
  }
}

function packRow(panel: Float64Array, r: number, data: Floats, base: number, depthOffsets: Int32Array): void {
  for (let k = 0, to = r; k < depthOffsets.length; k++, to += 4) panel[to] = data[base + depthOffsets[k]!]!
}

function clearRow(panel: Float64Array, r: number): void {
  for (let to = r; to < panel.length; to += 4) panel[to] = 0
}

/** Columns of a matrix in memory: element (k, column) lies at `offset + column · columnStride + k · depthStride`. */
export function stridedColumns(
  data: Floats,
  offset: number,
  columns: number,
  columnStride: number,
  depth: number,
  depthStride: number,
): ColumnSource {
  return {
    columns,
    packColumns(panel, at, column) {
      for (let c = 0; c < tileSize; c++) {
        const base = offset + (column + c) * columnStride
        const end = at + 4 * depth
        if (column + c < columns)
          for (let to = at + c, from = base; to < end; to += 4, from += depthStride) panel[to] = data[from]!
        else for (let to = at + c; to < end; to += 4) panel[to] = 0
      }
    },
  }
}

/** Offsets of a depth that steps evenly. */
export function evenOffsets(depth: number, stride: number): Int32Array {
  return tabulate(depth, (k) => k * stride)
}
