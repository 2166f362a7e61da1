const units = ['B', 'KB', 'MB', 'GB'] as const

/** `97.7 MB` (of 1000 bytes each). */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** `1.2e-7`, `0`. */
export function formatError(error: number): string {
  return error === 0 ? '0' : error.toExponential(2)
}
