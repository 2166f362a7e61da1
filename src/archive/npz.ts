import { readNpy, writeNpy } from '../tensor/npy.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readZip } from './zip-reader.ts'
import { writeZip } from './zip-writer.ts'

/**
 * Reads a NumPy archive: its arrays by name.
 *
 * @throws ZipFormatError, NpyFormatError
 */
export function readNpz(bytes: Uint8Array): Map<string, Tensor> {
  const arrays = new Map<string, Tensor>()
  for (const [path, entry] of readZip(bytes)) arrays.set(path.replace(/\.npy$/, ''), readNpy(entry.read()))
  return arrays
}

/** The chunks of a NumPy archive of the arrays, in their order. */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>): Uint8Array[] {
  return writeZip([...arrays].map(([name, tensor]) => ({ name: `${name}.npy`, data: writeNpy(tensor) })))
}
