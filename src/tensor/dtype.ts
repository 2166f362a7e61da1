import { PermafrostError } from '../errors.ts'

export type TypedArray =
  Uint8Array | Int8Array | Int16Array | Uint16Array | Int32Array | BigInt64Array | Float32Array | Float64Array

interface DTypeInfo {
  /** `c10::ScalarType` code (c10/core/ScalarType.h). */
  readonly code: number
  /** Bytes of one element. */
  readonly itemSize: number
  /** Name in libtorch's IR types, `Float(2, 3)`. */
  readonly irName: string
  /** Name of the typed storage class in pickles, `torch.FloatStorage`. */
  readonly storageName: string
  readonly category: 'bool' | 'integral' | 'floating' | 'complex' | 'quantized'
}

/** Every element type, with what the formats call it. float16 and bfloat16 are read as raw `Uint16Array`s. */
export const dtypes = {
  uint8: { code: 0, itemSize: 1, irName: 'Byte', storageName: 'ByteStorage', category: 'integral' },
  int8: { code: 1, itemSize: 1, irName: 'Char', storageName: 'CharStorage', category: 'integral' },
  int16: { code: 2, itemSize: 2, irName: 'Short', storageName: 'ShortStorage', category: 'integral' },
  int32: { code: 3, itemSize: 4, irName: 'Int', storageName: 'IntStorage', category: 'integral' },
  int64: { code: 4, itemSize: 8, irName: 'Long', storageName: 'LongStorage', category: 'integral' },
  float16: { code: 5, itemSize: 2, irName: 'Half', storageName: 'HalfStorage', category: 'floating' },
  float32: { code: 6, itemSize: 4, irName: 'Float', storageName: 'FloatStorage', category: 'floating' },
  float64: { code: 7, itemSize: 8, irName: 'Double', storageName: 'DoubleStorage', category: 'floating' },
  complex32: {
    code: 8,
    itemSize: 4,
    irName: 'ComplexHalf',
    storageName: 'ComplexHalfStorage',
    category: 'complex',
  },
  complex64: {
    code: 9,
    itemSize: 8,
    irName: 'ComplexFloat',
    storageName: 'ComplexFloatStorage',
    category: 'complex',
  },
  complex128: {
    code: 10,
    itemSize: 16,
    irName: 'ComplexDouble',
    storageName: 'ComplexDoubleStorage',
    category: 'complex',
  },
  bool: { code: 11, itemSize: 1, irName: 'Bool', storageName: 'BoolStorage', category: 'bool' },
  qint8: { code: 12, itemSize: 1, irName: 'QInt8', storageName: 'QInt8Storage', category: 'quantized' },
  quint8: { code: 13, itemSize: 1, irName: 'QUInt8', storageName: 'QUInt8Storage', category: 'quantized' },
  qint32: { code: 14, itemSize: 4, irName: 'QInt32', storageName: 'QInt32Storage', category: 'quantized' },
  bfloat16: {
    code: 15,
    itemSize: 2,
    irName: 'BFloat16',
    storageName: 'BFloat16Storage',
    category: 'floating',
  },
} as const satisfies Record<string, DTypeInfo>

export type DType = keyof typeof dtypes

const byCode = new Map<number, DType>()
const byStorageName = new Map<string, DType>()
const byIrName = new Map<string, DType>()
for (const [name, info] of Object.entries(dtypes) as [DType, DTypeInfo][]) {
  byCode.set(info.code, name)
  byStorageName.set(info.storageName, name)
  byIrName.set(info.irName, name)
}

export class UnknownDTypeError extends PermafrostError {
  readonly code = 'unknown-dtype'
}

/** The dtype of a `c10::ScalarType` code; throws `UnknownDTypeError`. */
export function dtypeFromCode(code: number): DType {
  const dtype = byCode.get(code)
  if (dtype === undefined) throw new UnknownDTypeError(`unknown scalar type code ${code}`)
  return dtype
}

export function dtypeFromStorageName(name: string): DType | undefined {
  return byStorageName.get(name)
}

export function dtypeFromIrName(name: string): DType | undefined {
  return byIrName.get(name)
}

export function itemSize(dtype: DType): number {
  return dtypes[dtype].itemSize
}

export function isFloating(dtype: DType): boolean {
  return dtypes[dtype].category === 'floating'
}

export function isIntegral(dtype: DType, includeBool = false): boolean {
  const category = dtypes[dtype].category
  return category === 'integral' || (includeBool && category === 'bool')
}

/** A typed array over `byteLength` bytes of `buffer`; complex types as pairs of their real type. */
export function typedArrayOver(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  byteLength: number,
): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return new Float32Array(buffer, byteOffset, byteLength >>> 2)
    case 'float64':
    case 'complex128':
      return new Float64Array(buffer, byteOffset, byteLength >>> 3)
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, byteLength >>> 3)
    case 'int32':
    case 'qint32':
      return new Int32Array(buffer, byteOffset, byteLength >>> 2)
    case 'int16':
      return new Int16Array(buffer, byteOffset, byteLength >>> 1)
    case 'int8':
    case 'qint8':
      return new Int8Array(buffer, byteOffset, byteLength)
    case 'uint8':
    case 'bool':
    case 'quint8':
      return new Uint8Array(buffer, byteOffset, byteLength)
    case 'float16':
    case 'bfloat16':
    case 'complex32':
      return new Uint16Array(buffer, byteOffset, byteLength >>> 1)
  }
}
