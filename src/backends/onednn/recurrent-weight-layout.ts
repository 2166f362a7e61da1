import type { Dnnl, MemoryDescriptor } from './binding/dnnl.ts'

/** The gates of the input's and of the state's bias that are added. */
export type BiasGate = readonly [input: number | undefined, state: number | undefined]

/** Floats in a line of the cache. */
const line = 16

/** From a feature's weights to the next one's, as oneDNN's `get_good_ld` (rnn_utils.cpp): lines never lie 1 KiB apart. */
function featureStride(columns: number): number {
  const rounded = Math.ceil(columns / line) * line
  return rounded % 256 === 0 ? rounded + line : rounded
}

/**
 * Features-first, `ldigo` with padded rows. It is what the library likes best without AVX-512; with it, on one sequence, an
 * LSTM takes 1.3 times as long in the blocks that it would choose, and as long on more (2.6.3).
 */
export function weightsDescriptor(
  dnnl: Dnnl,
  features: number,
  gates: number,
  units: number,
): MemoryDescriptor {
  const stride = featureStride(gates * units)
  const all = features * stride
  return dnnl.describe('float32', [1, 1, features, gates, units], [all, all, stride, units, 1])
}
