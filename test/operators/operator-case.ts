import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Device, Double, List, type IValue } from '../../src/ir/ivalue.ts'
import type { FunctionSchema } from '../../src/ir/schema.ts'
import { AnyT, type Type } from '../../src/ir/types.ts'
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from '../../src/tensor/half.ts'
import { dtypes, itemSize, type DType } from '../../src/tensor/dtype.ts'
import { Storage } from '../../src/tensor/storage.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

type EncodedNumber = number | string

export interface EncodedTensor {
  readonly tensor: DType
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  /** Of an argument, or of a result that shares an argument's storage. */
  readonly offset?: number
  /** Of an argument the whole storage; of a result the elements in row-major order. */
  readonly data: readonly EncodedNumber[]
  /** Index of the argument whose storage the result shares. */
  readonly alias?: number
}

export type Encoded =
  | null
  | boolean
  | EncodedNumber
  | EncodedTensor
  | { readonly float: EncodedNumber }
  | { readonly dtype: DType }
  | { readonly device: string }
  | readonly Encoded[]

/** One call of an operator, and what libtorch answered; made by scripts/fixtures/make-operator-cases.py. */
export interface OperatorCase {
  readonly op: string
  readonly args: readonly Encoded[]
  /** Relative, for floats; 1e-6 when left out. */
  readonly tolerance?: number
  /** An error that is always forgiven; 0 when left out. */
  readonly absolute?: number
  /** The strides of results are not part of the answer. */
  readonly anyLayout?: boolean
  readonly result?: Encoded
  /** Storages of arguments that the call wrote to, by argument index. */
  readonly changed?: Readonly<Record<string, readonly EncodedNumber[]>>
  /** Set where libtorch refuses the call. */
  readonly error?: string
}

export function readCases(family: string): OperatorCase[] {
  const file = new URL(`../fixtures/operators/${family}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as OperatorCase[]
}

export function isEncodedTensor(value: Encoded): value is EncodedTensor {
  return typeof value === 'object' && value !== null && 'tensor' in value
}

export function decodeNumber(value: EncodedNumber): number {
  return value === 'nan' ? NaN : value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value)
}

/** The interpreter's values for a case's arguments. */
export function decodeArguments(schema: FunctionSchema, args: readonly Encoded[]): IValue[] {
  return args.map((value, i) => decodeArgument(value, schema.arguments[i]?.type ?? AnyT))
}

function decodeArgument(value: Encoded, type: Type): IValue {
  const inner = type.kind === 'Optional' ? type.element : type
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') return inner.kind === 'String' ? value : BigInt(value)
  if (Array.isArray(value)) {
    const element = inner.kind === 'List' ? inner.element : AnyT
    return new List(
      (value as readonly Encoded[]).map((item) => decodeArgument(item, element)),
      element,
    )
  }
  if (isEncodedTensor(value)) return decodeTensor(value)
  if ('float' in value) return new Double(decodeNumber(value.float))
  if ('dtype' in value) return dtypes[value.dtype].code
  return new Device((value as { device: string }).device)
}

export function decodeTensor({ tensor: dtype, sizes, strides, offset, data }: EncodedTensor): Tensor {
  const storage = Storage.ofLength(data.length * itemSize(dtype))
  const elements = storage.as(dtype)
  data.forEach((value, i) => {
    if (elements instanceof BigInt64Array) elements[i] = BigInt(value)
    else elements[i] = encodeHalf(dtype, decodeNumber(value))
  })
  return new Tensor(storage, dtype, sizes, { strides, storageOffset: offset ?? 0 })
}

function encodeHalf(dtype: DType, value: number): number {
  return dtype === 'float16' ? numberToHalf(value) : dtype === 'bfloat16' ? numberToBfloat16(value) : value
}

/** Stored elements as numbers (int64 as bigint). */
export function readElement(tensor: Tensor, at: number): number | bigint {
  const value = tensor.data[at] ?? NaN
  if (typeof value === 'bigint') return value
  if (tensor.dtype === 'float16') return halfToNumber(value)
  return tensor.dtype === 'bfloat16' ? bfloat16ToNumber(value) : value
}

/** The elements in row-major order, however they are strided. */
export function readElements(tensor: Tensor): (number | bigint)[] {
  const walk = (dim: number, at: number): (number | bigint)[] => {
    if (dim === tensor.dim) return [readElement(tensor, at)]
    return Array.from({ length: tensor.sizes[dim] ?? 0 }, (_, i) =>
      walk(dim + 1, at + i * (tensor.strides[dim] ?? 0)),
    ).flat()
  }
  return tensor.numel === 0 ? [] : walk(0, tensor.storageOffset)
}
