import type { MemoryDescriptor, Primitive } from './dnnl.ts'
import { readText } from './foreign-library.ts'
import type { Functions } from './functions.ts'
import { releaseWith } from './release.ts'

// dnnl_query_t (dnnl_types.h), the same in versions 2 and 3.
const query = { source: 129, weights: 131, destination: 133, scratchpad: 136, implementation: 8 }

/** A `dnnl_primitive_t` with its descriptor; both are given back by `dispose`, or with the object. */
export class NativePrimitive implements Primitive {
  readonly implementation: string
  readonly scratchpadBytes: number
  readonly handle: bigint
  readonly #query: (what: number) => MemoryDescriptor
  readonly #release: () => void

  /**
   * @param description a `dnnl_primitive_desc_t`, which the primitive takes over
   * @param read the memory descriptor at an address; it is the library's
   */
  constructor(functions: Functions, description: bigint, read: (address: bigint) => MemoryDescriptor) {
    const find = functions.getAddressed(
      'dnnl_primitive_desc_query_md',
      'void* desc, int what, int index',
      'const void*',
    )
    this.#query = (what) => read(find(description, what, 0))
    const text = new BigUint64Array(1)
    functions.call(
      'dnnl_primitive_desc_query',
      'void* desc, int what, int index, void* result',
      ...[description, query.implementation, 0, text],
    )
    this.implementation = readText(text[0]!)
    this.scratchpadBytes = this.#query(query.scratchpad).byteLength
    this.handle = createPrimitive(functions, description)
    const { handle } = this
    this.#release = releaseWith(this, () => {
      functions.call('dnnl_primitive_destroy', 'void* primitive', handle)
      functions.call('dnnl_primitive_desc_destroy', 'void* desc', description)
    })
  }

  descriptor(role: 'source' | 'weights' | 'destination'): MemoryDescriptor {
    return this.#query(query[role])
  }

  dispose(): void {
    this.#release()
  }
}

function createPrimitive(functions: Functions, description: bigint): bigint {
  try {
    return functions.handle('dnnl_primitive_create', 'void* desc', description)
  } catch (error) {
    functions.call('dnnl_primitive_desc_destroy', 'void* desc', description)
    throw error
  }
}
