import { invariant } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { BlockedLayout } from '../../tensor/layout.ts'
import {
  type Binding,
  type Call,
  type Dnnl,
  type MemoryDescriptor,
  type Operation,
  type PostOperation,
  type Primitive,
} from './dnnl.ts'
import { OneDnnError, OneDnnMissingError } from './errors.ts'
import {
  addressOf,
  openLibrary,
  readBytes,
  readText,
  type CArgument,
  type CFunction,
  type ForeignLibrary,
} from './foreign-library.ts'
import {
  binaryAlgorithms,
  describeOperation,
  eltwiseAlgorithms,
  type DescribedOperation,
} from './operation-descriptors2.ts'
import { bytesOf, descriptorBytes, MemoryDescriptor2 } from './memory-descriptor2.ts'

// Numbers of enumerations in oneDNN 2.x (dnnl_types.h).
const statuses = [
  'success',
  'out_of_memory',
  'invalid_arguments',
  'unimplemented',
  'iterator_ends',
  'runtime_error',
  'not_required',
]
const cpu = 1
const defaultStream = 1
const userScratchpad = 1
const query = { source: 129, weights: 131, destination: 133, scratchpad: 136, implementation: 8 }

/** Opens a library of version 2.6 or 2.7. Its descriptors of operations are C structs that `…_desc_init` fills. */
export function openVersion2(library: ForeignLibrary, version: string): Dnnl {
  return new Version2(new Functions(library), version)
}

/** Looks functions up by name, once. */
class Functions {
  readonly #library: ForeignLibrary
  readonly #known = new Map<string, CFunction>()

  constructor(library: ForeignLibrary) {
    this.#library = library
  }

  get(name: string, parameters: string, result = 'int'): CFunction {
    let found = this.#known.get(name)
    if (found === undefined) this.#known.set(name, (found = this.#find(name, parameters, result)))
    return found
  }

  #find(name: string, parameters: string, result: string): CFunction {
    try {
      return this.#library.function(`${result} ${name}(${parameters})`)
    } catch (cause) {
      throw new OneDnnMissingError(
        `the library has no function ${name}`,
        {},
        'it may be an incomplete build',
        { cause },
      )
    }
  }

  /** Calls a function that gives a status. */
  call(name: string, parameters: string, ...args: readonly CArgument[]): void {
    check(this.get(name, parameters)(...args), name)
  }
}

function check(status: number, call: string): void {
  if (status !== 0) throw new OneDnnError(statuses[status] ?? `status ${status}`, call)
}

class Version2 implements Dnnl {
  readonly version: string
  readonly isa: number
  readonly #c: Functions
  readonly #engine: bigint
  readonly #stream: bigint
  readonly #sizeOf: (bytes: Uint8Array) => number
  readonly #setThreads: CFunction | undefined

  constructor(functions: Functions, version: string) {
    this.version = version
    this.#c = functions
    const size = functions.get('dnnl_memory_desc_get_size', 'void* desc', 'size_t')
    this.#sizeOf = (bytes) => size(bytes)
    this.#engine = this.#handle('dnnl_engine_create', 'void* engine, int kind, size_t index', cpu, 0)
    this.#stream = this.#handle(
      'dnnl_stream_create',
      'void* stream, void* engine, uint flags',
      this.#engine,
      defaultStream,
    )
    this.#setThreads = openMp()
    this.isa = functions.get('dnnl_get_effective_cpu_isa', '')()
  }

  /** Calls a function whose first parameter receives a pointer. */
  #handle(name: string, parameters: string, ...args: readonly CArgument[]): bigint {
    const out = new BigUint64Array(1)
    this.#c.call(name, parameters, out, ...args)
    return out[0]!
  }

  describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor {
    return MemoryDescriptor2.describe(dtype, sizes, layout, this.#sizeOf)
  }

  create(operation: Operation, postOperations: readonly PostOperation[] = []): Primitive {
    const attributes = this.#attributes(postOperations)
    try {
      const description = this.#primitiveDescriptor(operation, attributes)
      return new Primitive2(this.#c, description, this.#sizeOf)
    } finally {
      this.#c.call('dnnl_primitive_attr_destroy', 'void* attr', attributes)
    }
  }

  #attributes(postOperations: readonly PostOperation[]): bigint {
    const attributes = this.#handle('dnnl_primitive_attr_create', 'void* attr')
    this.#c.call(
      'dnnl_primitive_attr_set_scratchpad_mode',
      'void* attr, int mode',
      attributes,
      userScratchpad,
    )
    if (postOperations.length === 0) return attributes
    const list = this.#handle('dnnl_post_ops_create', 'void* list')
    for (const operation of postOperations) this.#append(list, operation)
    this.#c.call('dnnl_primitive_attr_set_post_ops', 'void* attr, void* list', attributes, list)
    this.#c.call('dnnl_post_ops_destroy', 'void* list', list)
    return attributes
  }

  #append(list: bigint, operation: PostOperation): void {
    if (operation.kind === 'sum') this.#c.call('dnnl_post_ops_append_sum', 'void* list, float scale', list, 1)
    else if (operation.kind === 'eltwise')
      this.#c.call(
        'dnnl_post_ops_append_eltwise',
        'void* list, float scale, int algorithm, float alpha, float beta',
        ...[list, 1, eltwiseAlgorithms[operation.algorithm], operation.alpha, operation.beta],
      )
    else
      this.#c.call(
        'dnnl_post_ops_append_binary',
        'void* list, int algorithm, void* operand',
        ...[list, binaryAlgorithms[operation.algorithm], bytesOf(operation.operand)],
      )
  }

  #primitiveDescriptor(operation: Operation, attributes: bigint): bigint {
    if (operation.kind === 'reorder')
      return this.#handle(
        'dnnl_reorder_primitive_desc_create',
        'void* out, void* source, void* e1, void* destination, void* e2, void* attr',
        ...[
          bytesOf(operation.source),
          this.#engine,
          bytesOf(operation.destination),
          this.#engine,
          attributes,
        ],
      )
    if (operation.kind === 'concat') {
      const sources = new Uint8Array(operation.sources.length * bytesOf(operation.sources[0]!).length)
      operation.sources.forEach((source, i) => sources.set(bytesOf(source), i * bytesOf(source).length))
      return this.#handle(
        'dnnl_concat_primitive_desc_create',
        'void* out, void* destination, int n, int axis, void* sources, void* attr, void* engine',
        operation.destination ? bytesOf(operation.destination) : null,
        ...[operation.sources.length, operation.axis, sources, attributes, this.#engine],
      )
    }
    return this.#handle(
      'dnnl_primitive_desc_create',
      'void* out, void* operation, void* attr, void* engine, void* hint',
      ...[this.#describeOperation(operation), attributes, this.#engine, null],
    )
  }

  #describeOperation(operation: DescribedOperation): Uint8Array {
    return describeOperation(operation, (name, parameters, ...args) =>
      this.#c.call(name, parameters, ...args),
    )
  }

  bind(primitive: Primitive, bindings: readonly Binding[]): Call {
    invariant(primitive instanceof Primitive2, 'a primitive of another version of the library')
    return new Call2(this.#c, this.#engine, this.#stream, primitive, bindings)
  }

  addressOf(bytes: Uint8Array): bigint {
    return addressOf(bytes)
  }

  setThreads(count: number): void {
    this.#setThreads?.(count)
  }

  dispose(): void {
    this.#c.call('dnnl_stream_destroy', 'void* stream', this.#stream)
    this.#c.call('dnnl_engine_destroy', 'void* engine', this.#engine)
  }
}

/** The OpenMP runtime that the library was linked with; without it the library keeps its number of threads. */
function openMp(): CFunction | undefined {
  for (const name of ['libgomp.so.1', 'libomp.dylib', 'libiomp5.so', 'libomp.so.5', 'vcomp140.dll'])
    try {
      return openLibrary(name).function('void omp_set_num_threads(int count)')
    } catch {
      continue
    }
  return undefined
}

class Primitive2 implements Primitive {
  readonly implementation: string
  readonly scratchpadBytes: number
  readonly handle: bigint
  readonly #c: Functions
  readonly #description: bigint
  readonly #sizeOf: (bytes: Uint8Array) => number
  #disposed = false

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
    const out = new BigUint64Array(1)
    functions.call('dnnl_primitive_create', 'void* out, void* desc', out, description)
    this.handle = out[0]!
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
    if (this.#disposed) return
    this.#disposed = true
    this.#c.call('dnnl_primitive_destroy', 'void* primitive', this.handle)
    this.#c.call('dnnl_primitive_desc_destroy', 'void* desc', this.#description)
  }
}

class Call2 implements Call {
  readonly #execute: () => number
  readonly #c: Functions
  readonly #memories = new Map<number, bigint>()
  // The library reads it at every call.
  readonly #arguments: BigUint64Array

  constructor(
    functions: Functions,
    engine: bigint,
    stream: bigint,
    primitive: Primitive2,
    bindings: readonly Binding[],
  ) {
    this.#c = functions
    this.#arguments = new BigUint64Array(2 * bindings.length)
    bindings.forEach(({ argument: number, descriptor, address }, i) => {
      const out = new BigUint64Array(1)
      functions.call(
        'dnnl_memory_create',
        'void* out, void* desc, void* engine, void* address',
        out,
        bytesOf(descriptor),
        engine,
        address,
      )
      this.#memories.set(number, out[0]!)
      this.#arguments[2 * i] = BigInt(number)
      this.#arguments[2 * i + 1] = out[0]!
    })
    const execute = functions.get(
      'dnnl_primitive_execute',
      'void* primitive, void* stream, int n, void* args',
    )
    const list = addressOf(this.#arguments)
    const { handle } = primitive
    const count = bindings.length
    this.#execute = () => execute(handle, stream, count, list)
  }

  execute(): void {
    check(this.#execute(), 'dnnl_primitive_execute')
  }

  rebind(number: number, address: bigint): void {
    const memory = this.#memories.get(number)
    if (memory !== undefined)
      this.#c.call('dnnl_memory_set_data_handle', 'void* memory, void* address', memory, address)
  }

  dispose(): void {
    for (const memory of this.#memories.values()) this.#c.call('dnnl_memory_destroy', 'void* memory', memory)
    this.#memories.clear()
  }
}
