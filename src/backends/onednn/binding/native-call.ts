import type { Binding, Call } from './dnnl.ts'
import { addressOf } from './foreign-library.ts'
import { check, type Functions } from './functions.ts'
import { pointerTo } from './native-descriptor.ts'
import type { NativePrimitive } from './native-primitive.ts'
import { releaseWith } from './release.ts'

/** Where calls run. */
export interface Stream {
  readonly engine: bigint
  readonly stream: bigint
}

/** A primitive with a `dnnl_memory_t` per argument; they are given back by `dispose`, or with the object. */
export class NativeCall implements Call {
  readonly #functions: Functions
  readonly #execute: () => number
  readonly #memories: ReadonlyMap<number, bigint>
  readonly #release: () => void
  // What native code reads must not be collected: the list at every call, the primitive, and memory behind addresses.
  readonly kept: readonly unknown[]

  constructor(
    functions: Functions,
    { engine, stream }: Stream,
    primitive: NativePrimitive,
    bindings: readonly Binding[],
    kept: readonly Uint8Array[],
  ) {
    this.#functions = functions
    const memories = new Map<number, bigint>()
    this.#memories = memories
    this.#release = releaseWith(this, () => {
      for (const memory of memories.values()) functions.call('dnnl_memory_destroy', 'void* memory', memory)
      memories.clear()
    })
    for (const binding of bindings) memories.set(binding.argument, createMemory(functions, engine, binding))
    const list = BigUint64Array.from([...memories].flatMap(([number, memory]) => [BigInt(number), memory]))
    this.kept = [list, primitive, kept]
    const execute = functions.get(
      'dnnl_primitive_execute',
      'void* primitive, void* stream, int n, void* args',
    )
    const { handle } = primitive
    const [address, count] = [addressOf(list), memories.size]
    this.#execute = () => execute(handle, stream, count, address)
  }

  execute(): void {
    check(this.#execute(), 'dnnl_primitive_execute')
  }

  rebind(number: number, address: bigint): void {
    const memory = this.#memories.get(number)
    if (memory !== undefined)
      this.#functions.call('dnnl_memory_set_data_handle', 'void* memory, void* address', memory, address)
  }

  dispose(): void {
    this.#release()
  }
}

function createMemory(functions: Functions, engine: bigint, { descriptor, address }: Binding): bigint {
  return functions.handle(
    'dnnl_memory_create',
    'void* desc, void* engine, void* address',
    ...[pointerTo(descriptor), engine, address],
  )
}
