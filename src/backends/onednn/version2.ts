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
import { Call2 } from './call2.ts'
import {
  addressOf,
  openLibrary,
  type CArgument,
  type CFunction,
  type ForeignLibrary,
} from './foreign-library.ts'
import { checkComplete, Functions } from './functions2.ts'
import {
  binaryAlgorithms,
  describeOperation,
  eltwiseAlgorithms,
  type DescribedOperation,
} from './operation-descriptors2.ts'
import { bytesOf, MemoryDescriptor2 } from './memory-descriptor2.ts'
import { Primitive2 } from './primitive2.ts'

// Numbers of enumerations in oneDNN 2.x (dnnl_types.h).
const cpu = 1
const defaultStream = 1
const userScratchpad = 1

/**
 * Opens a library of version 2.6 or 2.7. Its descriptors of operations are C structs that `…_desc_init` fills.
 *
 * @throws OneDnnMissingError for a library that lacks a function; OneDnnError for one that has no engine here
 */
export function openVersion2(library: ForeignLibrary, version: string): Dnnl {
  checkComplete(library)
  return new Version2(new Functions(library), version)
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

  bind(primitive: Primitive, bindings: readonly Binding[], kept: readonly Uint8Array[] = []): Call {
    invariant(primitive instanceof Primitive2, 'a primitive of another version of the library')
    return new Call2(this.#c, { engine: this.#engine, stream: this.#stream }, primitive, bindings, kept)
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
