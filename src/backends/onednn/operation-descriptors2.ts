import type { BinaryAlgorithm, EltwiseAlgorithm, Operation } from './dnnl.ts'
import type { CArgument } from './foreign-library.ts'
import { bytesOf } from './memory-descriptor2.ts'

// Numbers of enumerations in oneDNN 2.x (dnnl_types.h).
const forwardInference = 96
const useStatistics = 1
const useScale = 8
const useShift = 16
const fuseRelu = 4
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
export const eltwiseAlgorithms: Readonly<Record<EltwiseAlgorithm, number>> = {
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

/** Operations that are described by a C struct of their own; the others have functions. */
export type DescribedOperation = Exclude<Operation, { kind: 'reorder' | 'concat' }>

/** What `dnnl_<name>_desc_init` takes behind the struct that it fills. */
interface Initialiser {
  readonly name: string
  readonly parameters: string
  readonly args: readonly CArgument[]
}

type OfKind<K extends Operation['kind']> = Extract<Operation, { kind: K }>

const initialisers: { readonly [K in DescribedOperation['kind']]: (operation: OfKind<K>) => Initialiser } = {
  convolution: ({ transposed, algorithm, source, weights, bias, destination, ...windows }) => ({
    name: transposed ? 'dilated_deconvolution_forward' : 'dilated_convolution_forward',
    parameters:
      'int kind, int algorithm, void* src, void* wei, void* bias, void* dst, void* st, void* dil, void* pl, void* pr',
    args: [
      forwardInference,
      transposed ? deconvolutionDirect : convolutionAlgorithms[algorithm],
      ...[bytesOf(source), bytesOf(weights), bias ? bytesOf(bias) : null, bytesOf(destination)],
      ...[
        dims(windows.strides),
        gaps(windows.dilation),
        dims(windows.paddingBegin),
        dims(windows.paddingEnd),
      ],
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
  pooling: ({ algorithm, source, destination, kernel, ...windows }) => ({
    name: 'pooling_v2_forward',
    parameters:
      'int kind, int algorithm, void* src, void* dst, void* st, void* ker, void* dil, void* pl, void* pr',
    args: [
      ...[forwardInference, poolingAlgorithms[algorithm], bytesOf(source), bytesOf(destination)],
      ...[dims(windows.strides), dims(kernel), gaps(windows.dilation)],
      ...[dims(windows.paddingBegin), dims(windows.paddingEnd)],
    ],
  }),
  eltwise: ({ algorithm, data, alpha, beta }) => ({
    name: 'eltwise_forward',
    parameters: 'int kind, int algorithm, void* data, float alpha, float beta',
    args: [forwardInference, eltwiseAlgorithms[algorithm], bytesOf(data), alpha, beta],
  }),
  binary: ({ algorithm, sources, destination }) => ({
    name: 'binary',
    parameters: 'int algorithm, void* a, void* b, void* dst',
    args: [binaryAlgorithms[algorithm], ...sources.map(bytesOf), bytesOf(destination)],
  }),
  softmax: ({ logarithm, data, axis }) => ({
    name: 'softmax_v2_forward',
    parameters: 'int kind, int algorithm, void* src, void* dst, int axis',
    args: [
      ...[forwardInference, softmaxAlgorithms[logarithm ? 'logarithm' : 'plain']],
      ...[bytesOf(data), bytesOf(data), axis],
    ],
  }),
  'layer normalisation': ({ data, epsilon }) => ({
    name: 'layer_normalization_forward',
    parameters: 'int kind, void* data, void* stat, float epsilon, uint flags',
    args: [forwardInference, bytesOf(data), null, epsilon, useScale | useShift],
  }),
  'batch normalisation': ({ data, epsilon, relu }) => ({
    name: 'batch_normalization_forward',
    parameters: 'int kind, void* data, float epsilon, uint flags',
    args: [
      ...[forwardInference, bytesOf(data), epsilon],
      useStatistics | useScale | useShift | (relu ? fuseRelu : 0),
    ],
  }),
  resampling: ({ algorithm, source, destination }) => ({
    name: 'resampling_forward',
    parameters: 'int kind, int algorithm, void* factors, void* src, void* dst',
    args: [forwardInference, resamplingAlgorithms[algorithm], null, bytesOf(source), bytesOf(destination)],
  }),
  reduction: ({ algorithm, source, destination }) => ({
    name: 'reduction',
    parameters: 'int algorithm, void* src, void* dst, float p, float eps',
    args: [reductionAlgorithms[algorithm], bytesOf(source), bytesOf(destination), 0, 0],
  }),
}

const productParameters = 'void* src, void* wei, void* bias, void* dst'

function productArguments({
  source,
  weights,
  bias,
  destination,
}: OfKind<'matmul' | 'inner product'>): readonly CArgument[] {
  return [source, weights, bias, destination].map((one) => (one ? bytesOf(one) : null))
}

function dims(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt)
}

/** The library counts what lies between the taps. */
function gaps(dilation: readonly number[]): BigInt64Array {
  return dims(dilation.map((step) => step - 1))
}

/** Larger than any of the structs. */
const structBytes = 16384

/** The C struct of an operation, filled by the library. */
export function describeOperation(
  operation: DescribedOperation,
  call: (name: string, parameters: string, ...args: readonly CArgument[]) => void,
): Uint8Array {
  const initialise = initialisers[operation.kind] as (operation: DescribedOperation) => Initialiser
  const { name, parameters, args } = initialise(operation)
  const out = new Uint8Array(structBytes)
  call(`dnnl_${name}_desc_init`, `void* out, ${parameters}`, out, ...args)
  return out
}
