import type { MemoryDescriptor, Primitive } from './dnnl.ts'
import { readBytes, readText } from './foreign-library.ts'
import type { Functions } from './functions2.ts'
import { descriptorBytes, MemoryDescriptor2 } from './memory-descriptor2.ts'
import { releaseWith } from './release.ts'

// dnnl_query_t of oneDNN 2.x (dnnl_types.h).
const query = { source: 129, weights: 131, destination: 133, scratchpad: 136, implementation: 8 }

/** A `dnnl_primitive_t` with its descriptor; both are given back by `dispose`, or with the object. */
export class Primitive2 implements Primitive {
  readonly implementation: string
  readonly scratchpadBytes: number
  readonly handle: bigint
  readonly #c: Functions
  readonly #description: bigint
  readonly #sizeOf: (bytes: Uint8Array) => number
  readonly #release: () => void

  constructor(functions: Functions, description: bigint, sizeOf: (bytes: Uint8Array) => number) {
    this.#c = functions
    this.#description = description
    this.#sizeOf = sizeOf
    const text = new BigUint64Array(1)
    functions.call(
      'dnnl_primitive_desc_query',
      'void* desc, int what, int index, void* result',
      description,
      query.implementation,
      0,
      text,
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

  #query(what: number): MemoryDescriptor2 {
    const find = this.#c.get(
      'dnnl_primitive_desc_query_md',
      'void* desc, int what, int index',
      'const void*',
    ) as unknown as (description: bigint, what: number, index: number) => bigint
    const address = find(this.#description, what, 0)
    return new MemoryDescriptor2(readBytes(address, descriptorBytes), this.#sizeOf)
  }

  descriptor(role: 'source' | 'weights' | 'destination'): MemoryDescriptor {
    return this.#query(query[role])
  }

  dispose(): void {
    this.#release()
  }
}

function createPrimitive(functions: Functions, description: bigint): bigint {
  const out = new BigUint64Array(1)
  try {
    functions.call('dnnl_primitive_create', 'void* out, void* desc', out, description)
  } catch (error) {
    functions.call('dnnl_primitive_desc_destroy', 'void* desc', description)
    throw error
  }
  return out[0]!
}
