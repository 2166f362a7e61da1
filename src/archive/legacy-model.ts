import type { DType } from '../tensor/dtype.ts'
import { JsonFields } from './json-fields.ts'

/** `ModelDef` of caffe2/proto/torch.proto: what `model.json` says in archives of libtorch 1.0 to 1.3. */
export interface LegacyModel {
  readonly protoVersion: number
  readonly mainModule: LegacyModule
  readonly tensors: readonly LegacyTensor[]
}

export interface LegacyModule {
  readonly name: string
  readonly submodules: readonly LegacyModule[]
  readonly parameters: readonly {
    readonly name: string
    readonly isBuffer: boolean
    readonly tensorId: number
  }[]
  readonly attributes: readonly { readonly name: string; readonly type: string; readonly id: number }[]
  /** Entry with the methods' source; empty when there are none. */
  readonly code: string
  /** Entry with the source ranges of `code`; empty before libtorch 1.2. */
  readonly sourceRanges: string
  /** Index of what `__getstate__` returned. */
  readonly stateId: number | undefined
}

export interface LegacyTensor {
  /** Entry with the storage's bytes. */
  readonly key: string
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
  readonly requiresGrad: boolean
  readonly quantizer: { readonly scale: number; readonly zeroPoint: number } | undefined
}

/** The names in caffe2.proto's `TensorProto.DataType`. */
const dtypeOf: Readonly<Record<string, DType>> = {
  FLOAT: 'float32',
  DOUBLE: 'float64',
  FLOAT16: 'float16',
  INT64: 'int64',
  INT32: 'int32',
  INT16: 'int16',
  INT8: 'int8',
  UINT8: 'uint8',
  BYTE: 'uint8',
  BOOL: 'bool',
}

const quantizedOf: Partial<Record<DType, DType>> = { int8: 'qint8', uint8: 'quint8', int32: 'qint32' }

/** Throws `UnsupportedArchiveError` for JSON of another form. */
export function readLegacyModel(bytes: Uint8Array, entry: string, maxDepth: number): LegacyModel {
  const model = JsonFields.parse(bytes, entry)
  return {
    protoVersion: model.integer('protoVersion'),
    mainModule: readModule(model.object('mainModule'), maxDepth),
    tensors: model.objects('tensors').map(readTensor),
  }
}

function readModule(module: JsonFields, maxDepth: number): LegacyModule {
  if (maxDepth === 0) module.fail('nests modules too deeply')
  return {
    name: module.string('name'),
    submodules: module.objects('submodules').map((submodule) => readModule(submodule, maxDepth - 1)),
    parameters: module.objects('parameters').map((parameter) => ({
      name: parameter.string('name'),
      isBuffer: parameter.boolean('isBuffer'),
      tensorId: parameter.integer('tensorId'),
    })),
    attributes: module.objects('attributes').map((attribute) => ({
      name: attribute.string('name'),
      type: attribute.string('type'),
      id: attribute.integer('id'),
    })),
    code: module.object('torchscriptArena').string('key'),
    sourceRanges: module.object('torchscriptDebugArena').string('key'),
    stateId: module.has('getStateAttributeId') ? module.integer('getStateAttributeId') : undefined,
  }
}

function readTensor(tensor: JsonFields): LegacyTensor {
  const type = tensor.string('dataType')
  const plain = dtypeOf[type] ?? tensor.fail(`has a tensor of the unknown type ${JSON.stringify(type)}`)
  const isQuantized = tensor.boolean('isQuantized')
  return {
    key: tensor.object('data').string('key'),
    dtype: isQuantized ? (quantizedOf[plain] ?? tensor.fail(`has a quantised tensor of ${plain}`)) : plain,
    sizes: tensor.integers('dims'),
    strides: tensor.integers('strides'),
    offset: tensor.integer('offset'),
    requiresGrad: tensor.boolean('requiresGrad'),
    quantizer: isQuantized
      ? { scale: tensor.number('scale'), zeroPoint: tensor.integer('zeroPoint') }
      : undefined,
  }
}
