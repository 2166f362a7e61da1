import { itemSize } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { argument, type Dnnl, type MemoryDescriptor } from './dnnl.ts'
import type { WeightCache } from './lowering.ts'

interface Packed {
  readonly descriptor: MemoryDescriptor
  readonly content: Uint8Array
}

/** Packs each constant once per layout. */
export class PackedWeights implements WeightCache {
  readonly #dnnl: Dnnl
  readonly #packed = new WeakMap<Tensor, Packed[]>()

  constructor(dnnl: Dnnl) {
    this.#dnnl = dnnl
  }

  packed(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array {
    const known = this.#packed.get(tensor) ?? []
    this.#packed.set(tensor, known)
    const there = known.find(({ descriptor }) => descriptor.equals(wanted))
    if (there) return there.content
    const content = plain.equals(wanted) ? bytesOf(tensor) : this.#pack(tensor, wanted, plain)
    known.push({ descriptor: wanted, content })
    return content
  }

  #pack(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array {
    const content = new Uint8Array(wanted.byteLength)
    const primitive = this.#dnnl.create({ kind: 'reorder', source: plain, destination: wanted })
    const scratchpad = new Uint8Array(Math.max(primitive.scratchpadBytes, 1))
    const call = this.#dnnl.bind(primitive, [
      { argument: argument.source, descriptor: plain, address: this.#dnnl.addressOf(bytesOf(tensor)) },
      { argument: argument.destination, descriptor: wanted, address: this.#dnnl.addressOf(content) },
      {
        argument: argument.scratchpad,
        descriptor: this.#dnnl.describe('uint8', [scratchpad.length], [1]),
        address: this.#dnnl.addressOf(scratchpad),
      },
    ])
    call.execute()
    call.dispose()
    primitive.dispose()
    return content
  }
}

/** From the tensor's first element on. */
function bytesOf({ storage, storageOffset, dtype }: Tensor): Uint8Array {
  return storage.bytes.subarray(storageOffset * itemSize(dtype))
}
