import { forwardInference, type Conventions, type OperationArguments } from './conventions.ts'
import type { BinaryAlgorithm, MemoryDescriptor, Operation } from './dnnl.ts'
import type { CArgument } from './foreign-library.ts'
import { pointerTo } from './native-descriptor.ts'
import { recurrenceArguments } from './recurrence-arguments.ts'

// Numbers of enumerations (dnnl_types.h), the same in versions 2 and 3.
const forwardTraining = 64
const useStatistics = 1
const convolutionAlgorithms = { direct: 1, winograd: 2, auto: 3 }
const deconvolutionDirect = 10
const poolingAlgorithms = { max: 511, 'average with padding': 767, 'average without padding': 1023 }
const resamplingAlgorithms = { nearest: 196592, linear: 196593 }
const reductionAlgorithms = { max: 196594, sum: 196596, mean: 196598 }
const softmaxAlgorithms = { plain: 196608, logarithm: 196609 }
export const binaryAlgorithms: Readonly<Record<BinaryAlgorithm, number>> = {
  add: 131056,
  mul: 131057,
  max: 131058,
  min: 131059,
  div: 131060,
  sub: 131061,
}

/** Operations that are described by functions of one shape. */
export type DescribedOperation = Exclude<Operation, { kind: 'reorder' | 'concat' }>

type OfKind<K extends Operation['kind']> = Extract<Operation, { kind: K }>

const describers: {
  readonly [K in DescribedOperation['kind']]: (
    operation: OfKind<K>,
    conventions: Conventions,
  ) => OperationArguments
} = {
  convolution: (
    { transposed, algorithm, source, weights, bias, destination, ...windows },
    { names: { convolution, deconvolution } },
  ) => ({
    name: transposed ? deconvolution : convolution,
    parameters:
      'int kind, int algorithm, void* src, void* wei, void* bias, void* dst, void* st, void* dil, void* pl, void* pr',
    args: [
      forwardInference,
      transposed ? deconvolutionDirect : convolutionAlgorithms[algorithm],
      ...[pointerTo(source), pointerTo(weights), bias ? pointerTo(bias) : null, pointerTo(destination)],
      ...[dims(windows.strides), gaps(windows.dilation)],
      ...[dims(windows.paddingBegin), dims(windows.paddingEnd)],
    ],
  }),
  matmul: (operation) => ({
    name: 'matmul',
    parameters: productParameters,
    args: productArguments(operation),
  }),
  'inner product': (operation) => ({
    name: 'inner_product_forward',
    parameters: `int kind, ${productParameters}`,
    args: [forwardInference, ...productArguments(operation)],
  }),
  pooling: ({ algorithm, source, destination, kernel, ...windows }, { names }) => ({
    name: names.pooling,
    parameters:
      'int kind, int algorithm, void* src, void* dst, void* st, void* ker, void* dil, void* pl, void* pr',
    args: [
      ...[forwardInference, poolingAlgorithms[algorithm], pointerTo(source), pointerTo(destination)],
      ...[dims(windows.strides), dims(kernel), gaps(windows.dilation)],
      ...[dims(windows.paddingBegin), dims(windows.paddingEnd)],
    ],
  }),
  eltwise: ({ algorithm, data, alpha, beta }, conventions) => {
    const [code, ...numbers] = conventions.eltwise(algorithm, alpha, beta)
    const [parameters, pointers] = dataArguments(data, conventions)
    return {
      name: 'eltwise_forward',
      parameters: `int kind, int algorithm, ${parameters}, float alpha, float beta`,
      args: [forwardInference, code, ...pointers, ...numbers],
    }
  },
  binary: ({ algorithm, sources, destination }) => ({
    name: 'binary',
    parameters: 'int algorithm, void* a, void* b, void* dst',
    args: [binaryAlgorithms[algorithm], ...sources.map(pointerTo), pointerTo(destination)],
  }),
  softmax: ({ logarithm, data, axis }, { names }) => ({
    name: names.softmax,
    parameters: 'int kind, int algorithm, void* src, void* dst, int axis',
    args: [
      ...[forwardInference, softmaxAlgorithms[logarithm ? 'logarithm' : 'plain']],
      ...[pointerTo(data), pointerTo(data), axis],
    ],
  }),
  'layer normalisation': ({ data, epsilon }, conventions) => {
    const [parameters, pointers] = dataArguments(data, conventions)
    const { scale, shift } = conventions.normalizationFlags
    return {
      name: 'layer_normalization_forward',
      parameters: `int kind, ${parameters}, void* stat, float epsilon, uint flags`,
      args: [forwardInference, ...pointers, null, epsilon, scale | shift],
    }
  },
  'batch normalisation': ({ data, statistics, epsilon, relu }, conventions) => {
    const [parameters, pointers] = dataArguments(data, conventions)
    const { scale, shift, relu: fused } = conventions.normalizationFlags
    const flags = scale | shift | (relu ? fused : 0) | (statistics === 'given' ? useStatistics : 0)
    // Only in training the library gives statistics back.
    const kind = statistics === 'own, given back' ? forwardTraining : forwardInference
    return {
      name: 'batch_normalization_forward',
      parameters: `int kind, ${parameters}, float epsilon, uint flags`,
      args: [kind, ...pointers, epsilon, flags],
    }
  },
  prelu: ({ data, weights }, { describesBoth }) => ({
    name: 'prelu_forward',
    parameters: `int kind, void* src, void* weights${describesBoth ? ', void* dst' : ''}`,
    args: [
      ...[forwardInference, pointerTo(data), pointerTo(weights)],
      ...(describesBoth ? [pointerTo(data)] : []),
    ],
  }),
  resampling: ({ algorithm, source, destination }) => ({
    name: 'resampling_forward',
    parameters: 'int kind, int algorithm, void* factors, void* src, void* dst',
    args: [
      ...[forwardInference, resamplingAlgorithms[algorithm], null],
      ...[pointerTo(source), pointerTo(destination)],
    ],
  }),
  reduction: ({ algorithm, source, destination }) => ({
    name: 'reduction',
    parameters: 'int algorithm, void* src, void* dst, float p, float eps',
    args: [reductionAlgorithms[algorithm], pointerTo(source), pointerTo(destination), 0, 0],
  }),
  recurrence: recurrenceArguments,
}

const productParameters = 'void* src, void* wei, void* bias, void* dst'

function productArguments({
  source,
  weights,
  bias,
  destination,
}: OfKind<'matmul' | 'inner product'>): readonly CArgument[] {
  return [source, weights, bias, destination].map((one) => (one ? pointerTo(one) : null))
}

function dataArguments(
  data: MemoryDescriptor,
  { describesBoth }: Conventions,
): readonly [parameters: string, args: readonly CArgument[]] {
  const pointer = pointerTo(data)
  return describesBoth ? ['void* src, void* dst', [pointer, pointer]] : ['void* data', [pointer]]
}

function dims(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt)
}

/** The library counts what lies between the taps. */
function gaps(dilation: readonly number[]): BigInt64Array {
  return dims(dilation.map((step) => step - 1))
}

/**
 * What a version of the library takes for an operation.
 *
 * @throws OneDnnError with status `unimplemented` for memory that the library cannot describe
 */
export function operationArguments(
  operation: DescribedOperation,
  conventions: Conventions,
): OperationArguments {
  const describe = describers[operation.kind] as (
    operation: DescribedOperation,
    conventions: Conventions,
  ) => OperationArguments
  return describe(operation, conventions)
}
