import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf, plain } from '../../test/support/archives.ts'
import type { DType } from '../tensor/dtype.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { PickleWriteError } from './errors.ts'
import { readPickle } from './pickle-reader.ts'
import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'
import { writePickle } from './pickle-writer.ts'

function roundTrip(value: PickleValue): PickleValue {
  const { bytes, storages } = writePickle(value)
  const copies = storages.map((storage) => new Storage(storage.bytes.slice()))
  return readPickle(bytes, { entry: 'x.pkl', storage: ({ key }) => copies[Number(key)] as Storage })
}

const cls = new PickleGlobal('__torch__.net', 'Net')

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom<DType>('float32', 'int64', 'bool', 'bfloat16', 'complex128'),
    sizes: fc.array(fc.nat(3), { maxLength: 3 }),
    requiresGrad: fc.boolean(),
  })
  .map(({ dtype, sizes, requiresGrad }) => {
    const plainTensor = Tensor.zeros(dtype, sizes)
    plainTensor.storage.bytes.forEach((_, i, bytes) => (bytes[i] = i))
    return new Tensor(plainTensor.storage, dtype, sizes, { requiresGrad })
  })

const { value } = fc.letrec<{ value: PickleValue; shared: PickleValue }>((tie) => ({
  shared: fc.array(tie('value'), { maxLength: 3 }).map((items) => {
    const list = new PickleList(items, 'List[Any]')
    return new PickleTuple([list, new PickleDict([['again', list]]), list])
  }),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.oneof(fc.integer(), fc.maxSafeInteger()),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.double().map((double) => new PickleFloat(double)),
    fc.string({ unit: 'grapheme' }),
    fc
      .tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }))
      .map(([re, im]) => new PickleComplex(re, im)),
    fc.constantFrom('cpu', 'cuda:0').map((device) => new PickleDevice(device)),
    fc.integer().map((member) => new PickleReduce(new PickleGlobal('__torch__', 'Color'), member)),
    tensor,
    fc.array(fc.integer(), { maxLength: 4 }).map((items) => new PickleList(items, 'List[int]')),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new PickleTuple(items)),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new PickleList(items)),
    fc
      .array(fc.tuple(fc.string(), tie('value')), { maxLength: 5 })
      .map((entries) => new PickleDict(entries, 'Dict[str, Any]')),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 5 }).map((entries) => {
      return new PickleObject(cls, new PickleTuple([]), new PickleDict(entries))
    }),
    tie('shared'),
  ),
}))

describe('writePickle', () => {
  it('writes what readPickle reads as the same value, sharing included', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(plain(roundTrip(original))).toEqual(plain(original))
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same bytes for the same value', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(writePickle(original).bytes).toEqual(writePickle(original).bytes)
      }),
    )
  })

  it('keeps ints and floats apart', () => {
    expect(plain(roundTrip(new PickleTuple([1, new PickleFloat(1)])))).toEqual({ tuple: [1, { float: '1' }] })
  })

  it('writes a storage once, however many tensors look at it', () => {
    const storage = Storage.ofLength(32)
    const views = new PickleTuple([
      new Tensor(storage, 'float32', [8]),
      new Tensor(storage, 'float32', [2], { strides: [3], storageOffset: 1 }),
      new Tensor(storage, 'int32', [8]),
    ])
    expect(writePickle(views).storages).toEqual([storage])
    expect(plain(roundTrip(views))).toEqual(plain(views))
  })

  it('keeps the scales of quantised tensors', () => {
    const scales = Tensor.from('float64', [2], [1, 2])
    const zeroPoints = Tensor.from('int64', [2], [0, 0])
    const quantized = new PickleTuple([
      new Tensor(Storage.ofLength(4), 'qint8', [2, 2], {
        quantizer: { scheme: 'per_tensor_affine', scale: 0.5, zeroPoint: -3 },
      }),
      new Tensor(Storage.ofLength(4), 'quint8', [2, 2], {
        quantizer: { scheme: 'per_channel_affine', scales, zeroPoints, axis: 1 },
      }),
    ])
    expect(plain(roundTrip(quantized))).toEqual(plain(quantized))
  })

  it('refuses values that contain themselves', () => {
    const list = new PickleList()
    list.items.push(list)
    expect(errorOf(() => writePickle(list))).toBeInstanceOf(PickleWriteError)
  })

  it('refuses ints beyond 64 bits', () => {
    expect(errorOf(() => writePickle(2n ** 63n))).toBeInstanceOf(PickleWriteError)
  })
})
