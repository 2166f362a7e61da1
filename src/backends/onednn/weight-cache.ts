import { itemSize } from '../../tensor/dtype.ts'
import type { Storage } from '../../tensor/storage.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { argument, type Dnnl, type MemoryDescriptor } from './binding/dnnl.ts'
import type { WeightCache } from './lowering.ts'

interface Packed {
  readonly tensor: Tensor
  readonly descriptor: MemoryDescriptor
  readonly content: Uint8Array
}

/** A constant in a layout of the library's. */
export interface PackedConstant {
  readonly tensor: Tensor
  readonly descriptor: MemoryDescriptor
  readonly content: Uint8Array
}

/** Which constant it is, in every process: where it lies in a storage of this checksum. */
export function identityOf(tensor: Tensor, checksum: number): string {
  const { storage, storageOffset, dtype, sizes, strides } = tensor
  return [checksum, storage.byteLength, storageOffset, dtype, sizes.join('x'), strides.join('x')].join(':')
}

/** Packs each constant once per layout, for as long as its storage is there. */
export class PackedWeights implements WeightCache {
  readonly #dnnl: Dnnl
  readonly #packed = new WeakMap<Storage, Packed[]>()

  /** By constant and layout: what files brought along. */
  readonly #prepacked = new Map<string, Uint8Array>()
  readonly #onPacked: ((packed: PackedConstant) => void) | undefined

  constructor(dnnl: Dnnl, onPacked?: (packed: PackedConstant) => void) {
    this.#dnnl = dnnl
    this.#onPacked = onPacked
  }

  /** Takes these instead of packing. @param prepacked by `identityOf` and the layout's key */
  use(prepacked: ReadonlyMap<string, Uint8Array>): void {
    for (const [key, content] of prepacked) this.#prepacked.set(key, content)
  }

  packed(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array {
    const known = this.#packed.get(tensor.storage) ?? []
    this.#packed.set(tensor.storage, known)
    const there = known.find((one) => isSame(one.tensor, tensor) && one.descriptor.equals(wanted))
    if (there) return there.content
    const content = plain.equals(wanted)
      ? bytesOf(tensor)
      : (this.#prepackedOf(tensor, wanted) ?? this.#packAndTell(tensor, wanted, plain))
    known.push({ tensor, descriptor: wanted, content })
    return content
  }

  #prepackedOf(tensor: Tensor, wanted: MemoryDescriptor): Uint8Array | undefined {
    const { checksum } = tensor.storage
    if (checksum === undefined || this.#prepacked.size === 0) return undefined
    const content = this.#prepacked.get(`${identityOf(tensor, checksum)} ${wanted.key}`)
    return content?.length === wanted.byteLength ? content : undefined
  }

  #packAndTell(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array {
    const content = this.#pack(tensor, wanted, plain)
    this.#onPacked?.({ tensor, descriptor: wanted, content })
    return content
  }

  #pack(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array {
    const content = new Uint8Array(wanted.byteLength)
    const primitive = this.#dnnl.create({ kind: 'reorder', source: plain, destination: wanted })
    const scratchpad = new Uint8Array(Math.max(primitive.scratchpadBytes, 1))
    const source = bytesOf(tensor)
    const call = this.#dnnl.bind(
      primitive,
      [
        { argument: argument.source, descriptor: plain, address: this.#dnnl.addressOf(source) },
        { argument: argument.destination, descriptor: wanted, address: this.#dnnl.addressOf(content) },
        {
          argument: argument.scratchpad,
          descriptor: this.#dnnl.describe('uint8', [scratchpad.length], [1]),
          address: this.#dnnl.addressOf(scratchpad),
        },
      ],
      [source, content, scratchpad],
    )
    call.execute()
    call.dispose()
    primitive.dispose()
    return content
  }
}

/** Whether two tensors over one storage are the same look at it. */
function isSame(a: Tensor, b: Tensor): boolean {
  return identityOf(a, 0) === identityOf(b, 0)
}

/** From the tensor's first element on. */
function bytesOf({ storage, storageOffset, dtype }: Tensor): Uint8Array {
  return storage.bytes.subarray(storageOffset * itemSize(dtype))
}
