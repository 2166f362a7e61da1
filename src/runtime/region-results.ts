import { Dict, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { SpecialisedGraph } from './specialise.ts'
import { replaceTensors } from './value-tensors.ts'

/**
 * The outputs of a specialised graph for one run: what the run computed in the places of stand-ins. What came in as a
 * list or dict goes out as that very one, two outputs that are one list stay one, and tensors that were made while
 * specialising are copied for every run: whoever gets one may write to it.
 *
 * @param results of the run, one per output of the specialised graph
 * @param kept memory that need not be copied
 */
export function resultsOf(
  { inputs, outputs, outputOf }: SpecialisedGraph,
  args: readonly IValue[],
  results: readonly Tensor[],
  kept: ReadonlySet<Storage>,
): IValue[] {
  const containers = new Map<IValue, IValue>()
  inputs.forEach((standIn, i) => pairContainers(standIn, args[i] ?? null, containers))
  const copy = copier((storage) => !kept.has(storage))
  const replace = (tensor: Tensor): Tensor => {
    const index = outputOf.get(tensor)
    return index === undefined ? copy(tensor) : (results[index] as Tensor)
  }
  return outputs.map((output) => replaceTensors(output, replace, containers))
}

/** Copies tensors whose memory is to be copied; those that share it share the copy. */
export function copier(isCopied: (storage: Storage) => boolean): (tensor: Tensor) => Tensor {
  const copies = new Map<Storage, Storage>()
  return (tensor) => {
    if (tensor.isMeta || !isCopied(tensor.storage)) return tensor
    const { dtype, sizes, strides, storageOffset, quantizer } = tensor
    const copied = copies.get(tensor.storage) ?? new Storage(new Uint8Array(tensor.storage.bytes))
    copies.set(tensor.storage, copied)
    return new Tensor(copied, dtype, sizes, { strides, storageOffset, quantizer })
  }
}

function pairContainers(standIn: IValue, actual: IValue, pairs: Map<IValue, IValue>): void {
  if (!(standIn instanceof List || standIn instanceof Tuple || standIn instanceof Dict)) return
  pairs.set(standIn, actual)
  const [left, right] = [itemsOf(standIn), itemsOf(actual)]
  left.forEach((item, i) => pairContainers(item, right[i] ?? null, pairs))
}

function itemsOf(value: IValue): readonly IValue[] {
  if (value instanceof List || value instanceof Tuple) return value.elements
  return value instanceof Dict ? Array.from(value.entries(), ([, item]) => item) : []
}
