/** A square matrix as a product of triangles, by Gauss's elimination with partial pivoting. */
export interface Factorization {
  readonly size: number
  /** L below the diagonal, whose own diagonal is 1, and U on and above it; row-major. */
  readonly factors: Float64Array
  /** The row of the matrix that became each row. */
  readonly order: Int32Array
  /** Of the permutation: 1 or -1. */
  readonly sign: number
  /** The first pivot that is zero, counted from 1; 0 where there is none. */
  readonly singularAt: number
}

/** Factors a row-major matrix, which is not kept. */
export function factorize(matrix: Float64Array, size: number): Factorization {
  const order = Int32Array.from({ length: size }, (_, row) => row)
  let [sign, singularAt] = [1, 0]
  for (let step = 0; step < size; step++) {
    const pivot = pivotRow(matrix, size, step)
    if (pivot !== step) {
      swapRows(matrix, size, pivot, step)
      const row = order[step]!
      order[step] = order[pivot]!
      order[pivot] = row
      sign = -sign
    }
    if (matrix[step * size + step] !== 0) eliminate(matrix, size, step)
    else if (singularAt === 0) singularAt = step + 1
  }
  return { size, factors: matrix, order, sign, singularAt }
}

function pivotRow(matrix: Float64Array, size: number, step: number): number {
  let best = step
  for (let row = step + 1; row < size; row++)
    if (Math.abs(matrix[row * size + step]!) > Math.abs(matrix[best * size + step]!)) best = row
  return best
}

function swapRows(matrix: Float64Array, size: number, a: number, b: number): void {
  for (let column = 0; column < size; column++) {
    const value = matrix[a * size + column]!
    matrix[a * size + column] = matrix[b * size + column]!
    matrix[b * size + column] = value
  }
}

function eliminate(matrix: Float64Array, size: number, step: number): void {
  for (let row = step + 1; row < size; row++) {
    const factor = (matrix[row * size + step]! /= matrix[step * size + step]!)
    for (let column = step + 1; column < size; column++)
      matrix[row * size + column]! -= factor * matrix[step * size + column]!
  }
}

export function determinantOf({ size, factors, sign }: Factorization): number {
  let product = sign
  for (let i = 0; i < size; i++) product *= factors[i * size + i]!
  return product
}

/** The vector x with matrix · x = `vector`. */
export function solveFor(
  { size, factors, order }: Factorization,
  vector: (row: number) => number,
): Float64Array {
  const x = Float64Array.from(order, vector)
  for (let row = 0; row < size; row++)
    for (let column = 0; column < row; column++) x[row]! -= factors[row * size + column]! * x[column]!
  for (let row = size - 1; row >= 0; row--) {
    for (let column = row + 1; column < size; column++) x[row]! -= factors[row * size + column]! * x[column]!
    x[row]! /= factors[row * size + row]!
  }
  return x
}
