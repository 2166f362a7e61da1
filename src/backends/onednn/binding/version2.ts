import type { DType } from '../../../tensor/dtype.ts'
import type { BlockedLayout } from '../../../tensor/layout.ts'
import type { Conventions } from './conventions.ts'
import type { Dnnl, EltwiseAlgorithm, MemoryDescriptor, Operation } from './dnnl.ts'
import { readBytes, type ForeignLibrary } from './foreign-library.ts'
import { Functions } from './functions.ts'
import { descriptorBytes, MemoryDescriptor2, structOf } from './memory-descriptor2.ts'
import { describeMemory, pointerTo } from './native-descriptor.ts'
import { NativeLibrary, type UnaryPostOperation } from './native-library.ts'
import { operationArguments, type DescribedOperation } from './operation-arguments.ts'

// Numbers of enumerations in oneDNN 2.x (dnnl_types.h).
const eltwiseAlgorithms: Readonly<Record<EltwiseAlgorithm, number>> = {
  relu: 31,
  tanh: 47,
  elu: 63,
  square: 79,
  abs: 95,
  sqrt: 111,
  linear: 127,
  soft_relu: 159,
  logistic: 175,
  exp: 191,
  gelu_tanh: 207,
  swish: 223,
  log: 239,
  clip: 255,
  pow: 32,
  gelu_erf: 48,
  round: 64,
  mish: 96,
  hardswish: 112,
}

const conventions: Conventions = {
  names: {
    convolution: 'dilated_convolution_forward',
    deconvolution: 'dilated_deconvolution_forward',
    pooling: 'pooling_v2_forward',
    softmax: 'softmax_v2_forward',
  },
  describesBoth: false,
  normalizationFlags: { scale: 8, shift: 16, relu: 4 },
  forwards: 0,
  hasMoreWeights: false,
  eltwise: (algorithm, alpha, beta) => [eltwiseAlgorithms[algorithm], alpha, beta],
}

const required = [
  ...['primitive_desc_create', 'dilated_convolution_forward_desc_init', 'matmul_desc_init'],
  ...['dilated_deconvolution_forward_desc_init', 'inner_product_forward_desc_init'],
  ...['pooling_v2_forward_desc_init', 'eltwise_forward_desc_init', 'binary_desc_init'],
  ...['softmax_v2_forward_desc_init', 'layer_normalization_forward_desc_init', 'reduction_desc_init'],
  ...['batch_normalization_forward_desc_init', 'resampling_forward_desc_init', 'prelu_forward_desc_init'],
  ...['lstm_forward_desc_init', 'lbr_gru_forward_desc_init', 'vanilla_rnn_forward_desc_init'],
]

/** Larger than any of the structs that describe operations. */
const structBytes = 16384

/**
 * Opens a library of version 2.6 or 2.7. Its descriptors of operations are C structs that `…_desc_init` fills.
 *
 * @throws OneDnnMissingError for a library that lacks a function; OneDnnError for one that has no engine here
 */
export function openVersion2(library: ForeignLibrary, version: string): Dnnl {
  const functions = new Functions(library)
  functions.checkComplete(required)
  return new Version2(functions, version)
}

class Version2 extends NativeLibrary {
  readonly #sizeOf: (bytes: Uint8Array) => number

  constructor(functions: Functions, version: string) {
    super(functions, version)
    const size = functions.get('dnnl_memory_desc_get_size', 'void* desc', 'size_t')
    this.#sizeOf = (bytes) => size(bytes)
  }

  postOperand(index: number): number {
    return 16384 * (index + 1) + 2
  }

  describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor {
    return describeMemory(
      dtype,
      sizes,
      layout,
      (...known) => new MemoryDescriptor2(structOf(...known), this.#sizeOf),
    )
  }

  protected readDescriptor(address: bigint): MemoryDescriptor {
    return new MemoryDescriptor2(readBytes(address, descriptorBytes), this.#sizeOf)
  }

  protected append(list: bigint, operation: UnaryPostOperation): void {
    if (operation.kind === 'sum') this.c.call('dnnl_post_ops_append_sum', 'void* list, float scale', list, 1)
    else
      this.c.call(
        'dnnl_post_ops_append_eltwise',
        'void* list, float scale, int algorithm, float alpha, float beta',
        ...[list, 1, ...conventions.eltwise(operation.algorithm, operation.alpha, operation.beta)],
      )
  }

  protected describeOperation(
    operation: Exclude<Operation, { kind: 'reorder' }>,
    attributes: bigint,
  ): bigint {
    if (operation.kind !== 'concat')
      return this.c.handle(
        'dnnl_primitive_desc_create',
        'void* operation, void* attr, void* engine, void* hint',
        ...[this.#struct(operation), attributes, this.engine, null],
      )
    const sources = new Uint8Array(operation.sources.length * descriptorBytes)
    operation.sources.forEach((source, i) => sources.set(bytesOf(source), i * descriptorBytes))
    return this.c.handle(
      'dnnl_concat_primitive_desc_create',
      'void* destination, int n, int axis, void* sources, void* attr, void* engine',
      operation.destination ? pointerTo(operation.destination) : null,
      ...[operation.sources.length, operation.axis, sources, attributes, this.engine],
    )
  }

  #struct(operation: DescribedOperation): Uint8Array {
    const { name, parameters, args } = operationArguments(operation, conventions)
    const out = new Uint8Array(structBytes)
    this.c.call(`dnnl_${name}_desc_init`, `void* out, ${parameters}`, out, ...args)
    return out
  }
}

function bytesOf(descriptor: MemoryDescriptor): Uint8Array {
  return pointerTo(descriptor) as Uint8Array
}
