import { invariant } from '../../errors.ts'
import type { Value } from '../../ir/graph.ts'
import { planMemory, type MemoryPlan } from '../../runtime/memory-plan.ts'
import { itemSize } from '../../tensor/dtype.ts'
import { Storage } from '../../tensor/storage.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { Lowering } from './lowering.ts'
import type { PlanBuffer } from './placement.ts'
import { arenaOf } from './plan-memory.ts'

const alignment = 64
/** Of the bytes that a `Storage` looks at without copying them. */
const storageAlignment = 8

/** The memory of a plan, and tensors over it for kernels that are not the library's. */
export class PlanArena {
  readonly bytes: Uint8Array
  readonly plan: MemoryPlan
  readonly #lowering: Lowering
  readonly #offsets: ReadonlyMap<PlanBuffer, number>
  readonly #tensors = new Map<Value, Tensor>()
  readonly #storages = new Map<string, Storage>()

  /** @throws LimitExceededError where there is not so much memory */
  constructor(lowering: Lowering, buffers: readonly PlanBuffer[]) {
    this.#lowering = lowering
    this.plan = planMemory(buffers)
    this.#offsets = new Map(buffers.map((buffer, i) => [buffer, this.plan.offsets[i] ?? 0]))
    const bytes = arenaOf(this.plan.arenaBytes + alignment)
    const skip = Number(BigInt(alignment) - (lowering.dnnl.addressOf(bytes) % BigInt(alignment)))
    this.bytes = bytes.subarray(skip, skip + this.plan.arenaBytes)
  }

  offsetOf(buffer: PlanBuffer): number {
    const offset = this.#offsets.get(buffer)
    invariant(offset !== undefined, 'a step uses memory that was not planned')
    return offset
  }

  /** The value's tensor at home, made once. */
  tensorOf(value: Value): Tensor {
    const known = this.#tensors.get(value) ?? this.#makeTensor(value)
    this.#tensors.set(value, known)
    return known
  }

  #makeTensor(value: Value): Tensor {
    const { dtype, sizes, strides, storageOffset, storage } = this.#lowering.tensorOf(value)
    const { buffer, offset } = this.#lowering.home(value)
    const { root } = buffer
    const first = this.offsetOf(root.buffer) + root.offset + offset - storageOffset * itemSize(dtype)
    // A storage that began anywhere else would hold a copy.
    const lead = first % storageAlignment
    const lies = this.#storageOf(first - lead, first + storage.byteLength)
    return new Tensor(lies, dtype, sizes, { strides, storageOffset: storageOffset + lead / itemSize(dtype) })
  }

  /** Kernels know by the storage whether two tensors share memory. */
  #storageOf(start: number, end: number): Storage {
    const key = `${start} ${end}`
    const storage = this.#storages.get(key) ?? new Storage(this.bytes.subarray(start, end))
    invariant(storage.bytes.buffer === this.bytes.buffer, 'a tensor of a plan lies in its arena')
    this.#storages.set(key, storage)
    return storage
  }
}
