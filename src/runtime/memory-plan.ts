/** A run of bytes that is needed from one step of a schedule to another, both included. */
export interface Lifetime {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

export interface MemoryPlan {
  /** Where in the arena each begins. */
  readonly offsets: readonly number[]
  readonly arenaBytes: number
  /** What the lifetimes would take one behind the other. */
  readonly sumBytes: number
  /** The most that is alive at one step: no plan takes less. */
  readonly lowerBound: number
}

const alignment = 64

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment
}

/**
 * Places lifetimes in one arena so that no two that overlap in time overlap in memory: the largest first, each in the
 * smallest gap that takes it (Pisarchyk and Lee 2020, Efficient Memory Management for Deep Neural Net Inference,
 * "greedy by size"). Offsets are multiples of 64 bytes.
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const offsets = new Array<number>(lifetimes.length).fill(0)
  const placed: number[] = []
  const order = lifetimes
    .map((_, i) => i)
    .sort((a, b) => at(lifetimes, b).bytes - at(lifetimes, a).bytes || a - b)
  for (const i of order) {
    offsets[i] = gapFor(lifetimes, offsets, placed, i)
    const position = placed.findIndex((other) => at(offsets, other) > at(offsets, i))
    placed.splice(position < 0 ? placed.length : position, 0, i)
  }
  return {
    offsets,
    arenaBytes: lifetimes.reduce((end, { bytes }, i) => Math.max(end, at(offsets, i) + aligned(bytes)), 0),
    sumBytes: lifetimes.reduce((sum, { bytes }) => sum + aligned(bytes), 0),
    lowerBound: mostAlive(lifetimes),
  }
}

/** @param placed in the order of their offsets */
function gapFor(
  lifetimes: readonly Lifetime[],
  offsets: readonly number[],
  placed: readonly number[],
  i: number,
): number {
  const wanted = aligned(at(lifetimes, i).bytes)
  let best = -1
  let bestGap = Infinity
  let end = 0
  for (const other of placed) {
    if (!overlap(at(lifetimes, i), at(lifetimes, other))) continue
    const gap = at(offsets, other) - end
    if (gap >= wanted && gap < bestGap) {
      best = end
      bestGap = gap
    }
    end = Math.max(end, at(offsets, other) + aligned(at(lifetimes, other).bytes))
  }
  return best < 0 ? end : best
}

/** Indices are our own. */
function at<T>(list: readonly T[], i: number): T {
  return list[i] as T
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last
}

function mostAlive(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ bytes, first, last }) => [
    { step: first, change: aligned(bytes) },
    { step: last + 1, change: -aligned(bytes) },
  ])
  changes.sort((a, b) => a.step - b.step || a.change - b.change)
  let alive = 0
  return changes.reduce((most, { change }) => Math.max(most, (alive += change)), 0)
}
