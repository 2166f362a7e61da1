export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

/** The largest difference over the largest element. */
export function relativeError(found: Float32Array, wanted: Float32Array): number {
  const scale = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - (found[i] ?? NaN))), 0) / scale
}
