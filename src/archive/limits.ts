/** Bounds on what a file may make us do, far above what any real model needs. */
export interface ArchiveLimits {
  readonly entries: number
  /** Bytes of all compressed entries together, after inflating. */
  readonly inflatedBytes: number
  /** A compressed entry larger than `freelyInflatedBytes` must not grow by more than this factor. */
  readonly inflationFactor: number
  readonly freelyInflatedBytes: number
  /** Containers within containers in one pickle. */
  readonly pickleDepth: number
  /** Instructions of one pickle, and its values with a shared one counted wherever it occurs. */
  readonly pickleValues: number
  /** Containers, objects, tensors and floats of one pickle. */
  readonly pickleObjects: number
  /** Elements of a tensor that repeats those of a smaller storage (by strides of 0 or overlapping ones). */
  readonly repeatedElements: number
}

export const defaultLimits: ArchiveLimits = {
  entries: 1_000_000,
  inflatedBytes: 2 ** 30,
  inflationFactor: 100,
  freelyInflatedBytes: 2 ** 26,
  pickleDepth: 500,
  pickleValues: 1e7,
  pickleObjects: 1e6,
  repeatedElements: 2 ** 28,
}
