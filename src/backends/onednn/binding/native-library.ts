import { invariant } from '../../../errors.ts'
import type { DType } from '../../../tensor/dtype.ts'
import type { BlockedLayout } from '../../../tensor/layout.ts'
import type { Binding, Call, Dnnl, MemoryDescriptor, Operation, PostOperation, Primitive } from './dnnl.ts'
import { addressOf, openLibrary, type CFunction } from './foreign-library.ts'
import type { Functions } from './functions.ts'
import { NativeCall } from './native-call.ts'
import { pointerTo } from './native-descriptor.ts'
import { NativePrimitive } from './native-primitive.ts'
import { binaryAlgorithms } from './operation-arguments.ts'

// Numbers of enumerations (dnnl_types.h), the same in versions 2 and 3.
const cpu = 1
const defaultStream = 1
const userScratchpad = 1

export type UnaryPostOperation = Exclude<PostOperation, { kind: 'binary' }>

/** What all versions of the library have in common: one engine, one stream, memory for scratch that is ours. */
export abstract class NativeLibrary implements Dnnl {
  readonly version: string
  readonly isa: number
  protected readonly c: Functions
  protected readonly engine: bigint
  readonly #stream: bigint
  readonly #setThreads: CFunction | undefined

  constructor(functions: Functions, version: string) {
    this.version = version
    this.c = functions
    this.engine = functions.handle('dnnl_engine_create', 'int kind, size_t index', cpu, 0)
    this.#stream = functions.handle(
      'dnnl_stream_create',
      'void* engine, uint flags',
      this.engine,
      defaultStream,
    )
    this.#setThreads = openMp()
    this.isa = functions.get('dnnl_get_effective_cpu_isa', '')()
  }

  abstract postOperand(index: number): number

  abstract describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor

  /** Adds what versions say in their own ways to a list of post-operations. */
  protected abstract append(list: bigint, operation: UnaryPostOperation): void

  /** A `dnnl_primitive_desc_t`. */
  protected abstract describeOperation(
    operation: Exclude<Operation, { kind: 'reorder' }>,
    attributes: bigint,
  ): bigint

  /** The library's own memory descriptor at an address. */
  protected abstract readDescriptor(address: bigint): MemoryDescriptor

  create(operation: Operation, postOperations: readonly PostOperation[] = []): Primitive {
    const attributes = this.c.handle('dnnl_primitive_attr_create', '')
    try {
      this.#setAttributes(attributes, postOperations)
      const description =
        operation.kind === 'reorder'
          ? this.#describeReorder(operation, attributes)
          : this.describeOperation(operation, attributes)
      return new NativePrimitive(this.c, description, (address) => this.readDescriptor(address))
    } finally {
      this.c.call('dnnl_primitive_attr_destroy', 'void* attr', attributes)
    }
  }

  #setAttributes(attributes: bigint, postOperations: readonly PostOperation[]): void {
    this.c.call(
      'dnnl_primitive_attr_set_scratchpad_mode',
      'void* attr, int mode',
      ...[attributes, userScratchpad],
    )
    if (postOperations.length === 0) return
    const list = this.c.handle('dnnl_post_ops_create', '')
    try {
      for (const operation of postOperations)
        if (operation.kind === 'binary') this.#appendBinary(list, operation)
        else this.append(list, operation)
      this.c.call('dnnl_primitive_attr_set_post_ops', 'void* attr, void* list', attributes, list)
    } finally {
      this.c.call('dnnl_post_ops_destroy', 'void* list', list)
    }
  }

  #appendBinary(list: bigint, { algorithm, operand }: Extract<PostOperation, { kind: 'binary' }>): void {
    this.c.call(
      'dnnl_post_ops_append_binary',
      'void* list, int algorithm, void* operand',
      ...[list, binaryAlgorithms[algorithm], pointerTo(operand)],
    )
  }

  #describeReorder(
    { source, destination }: Extract<Operation, { kind: 'reorder' }>,
    attributes: bigint,
  ): bigint {
    return this.c.handle(
      'dnnl_reorder_primitive_desc_create',
      'void* source, void* e1, void* destination, void* e2, void* attr',
      ...[pointerTo(source), this.engine, pointerTo(destination), this.engine, attributes],
    )
  }

  bind(primitive: Primitive, bindings: readonly Binding[], kept: readonly Uint8Array[] = []): Call {
    invariant(primitive instanceof NativePrimitive, 'a primitive of no library')
    return new NativeCall(this.c, { engine: this.engine, stream: this.#stream }, primitive, bindings, kept)
  }

  addressOf(bytes: Uint8Array): bigint {
    return addressOf(bytes)
  }

  setThreads(count: number): void {
    this.#setThreads?.(count)
  }

  dispose(): void {
    this.c.call('dnnl_stream_destroy', 'void* stream', this.#stream)
    this.c.call('dnnl_engine_destroy', 'void* engine', this.engine)
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
