import type { DType } from '../../../tensor/dtype.ts'
import { BlockedLayout } from '../../../tensor/layout.ts'
import type { Conventions } from './conventions.ts'
import type { Dnnl, EltwiseAlgorithm, MemoryDescriptor, Operation } from './dnnl.ts'
import type { ForeignLibrary } from './foreign-library.ts'
import { Functions } from './functions.ts'
import { DescriptorMaker } from './memory-descriptor3.ts'
import { describeMemory, pointerTo } from './native-descriptor.ts'
import { NativeLibrary, type UnaryPostOperation } from './native-library.ts'
import { overlaps, PlainDescriptor } from './plain-descriptor.ts'
import { operationArguments } from './operation-arguments.ts'

// Numbers of enumerations in oneDNN 3.x (dnnl_types.h).
const eltwiseAlgorithms: Readonly<Record<EltwiseAlgorithm, number>> = {
  relu: 32,
  tanh: 33,
  elu: 34,
  square: 35,
  abs: 36,
  sqrt: 37,
  linear: 38,
  soft_relu: 39,
  logistic: 41,
  exp: 42,
  gelu_tanh: 43,
  swish: 44,
  log: 45,
  clip: 46,
  pow: 48,
  gelu_erf: 49,
  round: 50,
  mish: 51,
  hardswish: 52,
}
const ofTheDestination = 0

/** Numbers that version 2 has built in. */
const builtIn: Readonly<Partial<Record<EltwiseAlgorithm, readonly [alpha: number, beta: number]>>> = {
  hardswish: [1 / 6, 1 / 2],
  soft_relu: [1, 0],
}

const conventions: Conventions = {
  names: {
    convolution: 'convolution_forward',
    deconvolution: 'deconvolution_forward',
    pooling: 'pooling_forward',
    softmax: 'softmax_forward',
  },
  describesBoth: true,
  normalizationFlags: { scale: 2, shift: 4, relu: 8 },
  forwards: 1,
  hasMoreWeights: true,
  eltwise: (algorithm, ...numbers) => [eltwiseAlgorithms[algorithm], ...(builtIn[algorithm] ?? numbers)],
}

const required = [
  ...['memory_desc_create_with_tag', 'memory_desc_create_with_strides', 'memory_desc_destroy'],
  ...['memory_desc_clone', 'memory_desc_query', 'memory_desc_equal', 'memory_desc_get_blob', 'fmt_tag2str'],
  ...[
    ...['convolution_forward', 'deconvolution_forward', 'matmul', 'inner_product_forward', 'pooling_forward'],
    ...['eltwise_forward', 'binary', 'softmax_forward', 'layer_normalization_forward', 'reduction'],
    ...['batch_normalization_forward', 'resampling_forward', 'prelu_forward', 'lstm_forward'],
    ...['lbr_gru_forward', 'vanilla_rnn_forward'],
  ].map((name) => `${name}_primitive_desc_create`),
]

/**
 * Opens a library of version 3. It keeps descriptors to itself: each operation is described by a function of its own, and
 * memory by objects.
 *
 * @throws OneDnnMissingError for a library that lacks a function; OneDnnError for one that has no engine here
 */
export function openVersion3(library: ForeignLibrary, version: string): Dnnl {
  const functions = new Functions(library)
  functions.checkComplete(required)
  return new Version3(functions, version)
}

class Version3 extends NativeLibrary {
  readonly #descriptors: DescriptorMaker

  constructor(functions: Functions, version: string) {
    super(functions, version)
    this.#descriptors = new DescriptorMaker(functions)
  }

  postOperand(index: number): number {
    return 32768 * (index + 1) + 2
  }

  describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor {
    // Version 3 describes no memory whose elements are in several places.
    if (!(layout instanceof BlockedLayout) && layout !== 'any' && overlaps(sizes, layout))
      return new PlainDescriptor(dtype, sizes, layout)
    return describeMemory(dtype, sizes, layout, (...known) => this.#descriptors.make(...known))
  }

  protected readDescriptor(address: bigint): MemoryDescriptor {
    return this.#descriptors.clone(address)
  }

  protected append(list: bigint, operation: UnaryPostOperation): void {
    if (operation.kind === 'sum')
      this.c.call(
        'dnnl_post_ops_append_sum',
        'void* list, float scale, int32_t zero_point, int dtype',
        ...[list, 1, 0, ofTheDestination],
      )
    else
      this.c.call(
        'dnnl_post_ops_append_eltwise',
        'void* list, int algorithm, float alpha, float beta',
        ...[list, ...conventions.eltwise(operation.algorithm, operation.alpha, operation.beta)],
      )
  }

  protected describeOperation(
    operation: Exclude<Operation, { kind: 'reorder' }>,
    attributes: bigint,
  ): bigint {
    if (operation.kind !== 'concat') {
      const { name, parameters, args } = operationArguments(operation, conventions)
      return this.c.handle(
        `dnnl_${name}_primitive_desc_create`,
        `void* engine, ${parameters}, void* attr`,
        ...[this.engine, ...args, attributes],
      )
    }
    const sources = BigUint64Array.from(operation.sources, (source) => pointerTo(source) as bigint)
    return this.c.handle(
      'dnnl_concat_primitive_desc_create',
      'void* engine, void* destination, int n, int axis, void* sources, void* attr',
      ...[this.engine, operation.destination ? pointerTo(operation.destination) : null],
      ...[sources.length, operation.axis, sources, attributes],
    )
  }
}
