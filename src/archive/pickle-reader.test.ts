import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf, globalOpcode, pickleBytes, plain, textOpcode } from '../../test/support/archives.ts'
import { PermafrostError } from '../errors.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { ForbiddenGlobalError, PickleError, TensorLayoutError, UnsupportedArchiveError } from './errors.ts'
import { opcodes } from './pickle-opcodes.ts'
import { readPickle } from './pickle-reader.ts'
import { PickleList, PickleTuple, type PickleValue } from './pickle-values.ts'

const entry = 'data.pkl'
const storage = () => new Storage(Uint8Array.from({ length: 48 }, (_, i) => i))
const read = (bytes: Uint8Array): PickleValue => readPickle(bytes, { entry, storage })
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('readPickle: values', () => {
  it.each([
    ['None', ['NONE'], null],
    ['an int', ['BININT1', 200], 200],
    ['a negative int', ['BININT', 0xfe, 0xff, 0xff, 0xff], -2],
    ['an int that is no exact double', ['LONG1', 8, 1, 0, 0, 0, 0, 0, 0x20, 0], { int: '9007199254740993' }],
    ['the least int', ['LONG1', 8, 0, 0, 0, 0, 0, 0, 0, 0x80], { int: '-9223372036854775808' }],
    ['an empty long', ['LONG1', 0], 0],
    ['a whole float', ['BINFLOAT', 0x40, 0, 0, 0, 0, 0, 0, 0], { float: '2' }],
    ['an infinite float', ['BINFLOAT', 0xff, 0xf0, 0, 0, 0, 0, 0, 0], { float: '-Infinity' }],
    ['a text', [textOpcode('grün')], 'grün'],
    ['a short text', ['SHORT_BINUNICODE', 2, 0x68, 0x69], 'hi'],
    ['a tuple of three', ['NEWTRUE', 'NEWFALSE', 'NONE', 'TUPLE3'], { tuple: [true, false, null] }],
    [
      'a dict',
      ['MARK', textOpcode('a'), 'BININT1', 1, 'DICT'],
      { number: 0, dict: [['a', 1]], type: undefined },
    ],
    [
      'a later value of a key',
      ['EMPTY_DICT', textOpcode('a'), 'BININT1', 1, 'SETITEM', textOpcode('a'), 'BININT1', 2, 'SETITEM'],
      { number: 0, dict: [['a', 2]], type: undefined },
    ],
    [
      'a device',
      [globalOpcode('torch', 'device'), textOpcode('cuda:1'), 'TUPLE1', 'REDUCE'],
      { device: 'cuda:1' },
    ],
    [
      'a member of an enum',
      [globalOpcode('__torch__', 'Color'), 'BININT1', 2, 'REDUCE'],
      { call: '__torch__.Color', args: 2 },
    ],
    [
      'an object whose state is no dict',
      [globalOpcode('__torch__.a', 'B'), 'EMPTY_TUPLE', 'NEWOBJ', 'BININT1', 5, 'BUILD'],
      { number: 0, object: '__torch__.a.B', args: { tuple: [] }, state: 5 },
    ],
  ] as const)('reads %s', (_, parts, expected) => {
    expect(plain(read(pickleBytes(...parts)))).toEqual(expected)
  })

  it('gives lists the types that are restored to them', () => {
    const typed = [
      globalOpcode('torch.jit._pickle', 'restore_type_tag'),
      'EMPTY_LIST',
      textOpcode('List[str]'),
    ] as const
    expect(read(pickleBytes(...typed, 'TUPLE2', 'REDUCE'))).toMatchObject({ items: [], type: 'List[str]' })
    const ints = [
      globalOpcode('torch.jit._pickle', 'build_intlist'),
      'MARK',
      'EMPTY_LIST',
      'BININT1',
      3,
      'APPEND',
    ] as const
    expect(read(pickleBytes(...ints, 'TUPLE', 'REDUCE'))).toMatchObject({ items: [3], type: 'List[int]' })
  })

  it('shares what the memo shares', () => {
    const value = read(pickleBytes('EMPTY_LIST', 'BINPUT', 0, 'BINGET', 0, 'TUPLE2'))
    const [first, second] = value instanceof PickleTuple ? value.items : []
    expect(first).toBeInstanceOf(PickleList)
    expect(first).toBe(second)
  })
})

describe('readPickle: refusals', () => {
  it('refuses a foreign global by name, and says what it would do', () => {
    const error = errorOf(() =>
      read(pickleBytes(globalOpcode('os', 'system'), textOpcode('id'), 'TUPLE1', 'REDUCE')),
    )
    expect(error).toBeInstanceOf(ForbiddenGlobalError)
    expect(error).toMatchObject({
      found: 'the pickle names the global "os.system", which no TorchScript archive uses',
      place: { entry, offset: 2 },
    })
    const stacked = pickleBytes(textOpcode('builtins'), textOpcode('eval'), 'STACK_GLOBAL')
    expect(errorOf(() => read(stacked))).toBeInstanceOf(ForbiddenGlobalError)
  })

  it.each([
    ['builtins', 'eval'],
    ['torch', 'load'],
    ['torch.jit._pickle', '__import__'],
    ['torch.jit', '_script'],
    ['__torch__x', 'Y'],
    ['torch._utils', '_rebuild_device_tensor_from_numpy'],
  ])('refuses %s.%s', (module, name) => {
    const isRefused = errorOf(() => read(pickleBytes(globalOpcode(module, name), 'EMPTY_TUPLE', 'REDUCE')))
    expect(isRefused).toBeInstanceOf(PickleError)
  })

  it.each([
    ['an unknown opcode', [0x50], 'the pickle opcode 0x50 is unknown'],
    ['a memo that is not set', ['BINGET', 7], 'memo 7 is not set'],
    [
      'a memo beyond all bounds',
      ['NONE', 'LONG_BINPUT', 0xff, 0xff, 0xff, 0xff],
      /^the pickle uses memo 4294967295/,
    ],
    ['a value from nowhere', ['TUPLE2'], 'the pickle takes a value from an empty stack'],
    [
      'a value from below the mark',
      ['NONE', 'MARK', 'TUPLE1'],
      'the pickle takes a value from an empty stack',
    ],
    [
      'a tuple without a beginning',
      ['TUPLE'],
      'the pickle closes a tuple, list or dict that it never opened',
    ],
    ['values left over', ['NONE', 'NONE'], 'the pickle ends with values left over'],
    [
      'a text longer than the pickle',
      ['BINUNICODE', 0xff, 0xff, 0xff, 0x7f],
      /^the pickle ends \d+ bytes too early$/,
    ],
    [
      'a text of 2^63 bytes',
      ['BINUNICODE8', 0, 0, 0, 0, 0, 0, 0, 0x80],
      /^the pickle ends \d+ bytes too early$/,
    ],
    [
      'an int beyond 64 bits',
      ['LONG1', 9, ...bytes(1, 1, 1, 1, 1, 1, 1, 1, 1)],
      /larger than TorchScript's$/,
    ],
    ['appending to a dict', ['EMPTY_DICT', 'NONE', 'APPEND'], 'the pickle appends to what is no list'],
    [
      'items of a list',
      ['EMPTY_LIST', 'MARK', 'NONE', 'NONE', 'SETITEMS'],
      'the pickle sets items of what is no dict',
    ],
    ['a key without a value', ['MARK', 'NONE', 'DICT'], 'a dict has a key without a value'],
    ['a call of a value', ['NONE', 'EMPTY_TUPLE', 'REDUCE'], 'the pickle calls what is no function'],
    [
      'a list of ints that holds a text',
      [...intList(textOpcode('x'))],
      'a List[int] holds an element of another type',
    ],
    ['a storage without a name', ['NONE', 'BINPERSID'], 'a persistent id names no storage'],
    ['protocol 5', ['PROTO', 5, 'NONE'], 'pickle protocol 5 is newer than any that TorchScript uses'],
  ] as const)('refuses %s', (_, parts, found) => {
    const error = errorOf(() => read(pickleBytes(...parts)))
    expect(error).toBeInstanceOf(PickleError)
    expect((error as PickleError).found).toMatch(found)
  })

  it('says where the pickle ends too early', () => {
    const whole = pickleBytes(textOpcode('some text'), globalOpcode('__torch__', 'A'), 'TUPLE2')
    for (let end = 1; end < whole.length; end++)
      expect(errorOf(() => read(whole.subarray(0, end)))).toMatchObject({ place: { entry } })
    expect(errorOf(() => read(new Uint8Array()))).toBeInstanceOf(PickleError)
  })

  it('refuses values that contain themselves, by list, dict and object', () => {
    const loops = [
      pickleBytes('EMPTY_LIST', 'BINPUT', 0, 'BINGET', 0, 'APPEND'),
      pickleBytes('EMPTY_DICT', 'BINPUT', 0, 'BININT1', 1, 'BINGET', 0, 'TUPLE1', 'SETITEM'),
      pickleBytes(globalOpcode('__torch__', 'A'), 'EMPTY_TUPLE', 'NEWOBJ', 'BINPUT', 0, 'BINGET', 0, 'BUILD'),
    ]
    for (const loop of loops)
      expect(errorOf(() => read(loop))).toMatchObject({ found: 'a value contains itself' })
  })

  it('refuses nesting that would exhaust the stack of who walks it', () => {
    const deep = (levels: number) =>
      pickleBytes('EMPTY_TUPLE', ...Array.from({ length: levels }, () => 'TUPLE1' as const))
    expect(read(deep(400))).toBeInstanceOf(PickleTuple)
    expect(errorOf(() => read(deep(100_000)))).toMatchObject({
      found: 'values are nested deeper than 500 levels',
    })
  })

  it('refuses sharing that unfolds without end', () => {
    const doublings = Array.from({ length: 60 }, () => ['BINPUT', 0, 'BINGET', 0, 'TUPLE2'] as const).flat()
    const start = performance.now()
    expect(errorOf(() => read(pickleBytes('EMPTY_TUPLE', ...doublings)))).toMatchObject({
      found: expect.stringContaining('unfolds to more than') as string,
    })
    expect(performance.now() - start).toBeLessThan(20_000)
  })
})

describe('readPickle: size', () => {
  it.each(['EMPTY_DICT', 'NONE', 'MARK'] as const)('refuses millions of %s in little time', (name) => {
    const bytes = new Uint8Array(1.2e7).fill(opcodes[name])
    bytes.set([opcodes.PROTO, 2, opcodes.MARK])
    const start = performance.now()
    expect(errorOf(() => read(bytes))).toMatchObject({
      found: expect.stringContaining('more than') as string,
    })
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('readPickle: tensors', () => {
  it('makes a strided view of its storage', () => {
    const tensor = read(tensorPickle({ offset: 2, sizes: [2, 3], strides: [1, 2] }))
    expect(tensor).toBeInstanceOf(Tensor)
    expect(tensor).toMatchObject({ dtype: 'float32', sizes: [2, 3], strides: [1, 2], storageOffset: 2 })
  })

  it.each([
    ['has a size that is negative or no int', { sizes: [-1], strides: [1] }],
    ['has a stride that is negative or no int', { sizes: [2], strides: [-1] }],
    ['has an offset that is negative or no int', { sizes: [2], strides: [1], offset: -1 }],
    ['has 2 sizes but 1 strides', { sizes: [1, 1], strides: [1] }],
    ['reaches to element 12 of 12', { sizes: [13], strides: [1] }],
    ['reaches to element 12 of 12', { sizes: [1], strides: [1], offset: 12 }],
    [
      'reaches to element 4611686014132420600 of 12',
      { sizes: [2 ** 31 - 1, 2 ** 31 - 1], strides: [2 ** 31 - 1, 1] },
    ],
    [
      'has the sizes [2147483647, 2147483647] in 12 elements',
      { sizes: [2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0] },
    ],
  ])('refuses a tensor that %s', (fault, layout) => {
    const error = errorOf(() => read(tensorPickle(layout)))
    expect(error).toBeInstanceOf(TensorLayoutError)
    expect(error).toMatchObject({ found: `a tensor in storage k ${fault}`, place: { entry } })
  })

  it('refuses a storage that is shorter than its pickle says', () => {
    expect(errorOf(() => read(tensorPickle({ sizes: [1], strides: [1], numel: 13 })))).toMatchObject({
      found: 'storage k has 48 bytes, too few for its 13 elements of float32',
    })
  })

  it('refuses types of elements and layouts that it does not know, by name', () => {
    const float8 = pickleBytes(globalOpcode('torch', 'Float8_e5m2Storage'))
    expect(errorOf(() => read(float8))).toBeInstanceOf(UnsupportedArchiveError)
    const sparse = pickleBytes(
      globalOpcode('torch._utils', '_rebuild_sparse_tensor'),
      'EMPTY_TUPLE',
      'REDUCE',
    )
    expect(errorOf(() => read(sparse))).toBeInstanceOf(UnsupportedArchiveError)
  })
})

describe('readPickle: any bytes', () => {
  const opcode = fc.constantFrom(...Object.values(opcodes))
  const piece = fc.oneof(
    { weight: 6, arbitrary: opcode.map((code) => Uint8Array.of(code)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 9 }) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom('torch.FloatStorage', '__torch__.A', 'torch._utils._rebuild_tensor_v2')
        .map(dotted),
    },
    { weight: 2, arbitrary: fc.string({ maxLength: 5 }).map(textOpcode) },
  )

  it('give a value or a PermafrostError, never anything else', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          read(pickleBytes(...pieces))
        } catch (error) {
          expect(error).toBeInstanceOf(PermafrostError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

function dotted(name: string): Uint8Array {
  const dot = name.lastIndexOf('.')
  return globalOpcode(name.slice(0, dot), name.slice(dot + 1))
}

function* intList(
  item: Uint8Array,
): Iterable<'MARK' | 'EMPTY_LIST' | 'APPEND' | 'TUPLE' | 'REDUCE' | Uint8Array> {
  yield globalOpcode('torch.jit._pickle', 'build_intlist')
  yield* ['MARK', 'EMPTY_LIST', item, 'APPEND', 'TUPLE', 'REDUCE'] as const
}

interface Layout {
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly offset?: number
  readonly numel?: number
}

function intOpcode(value: number): Uint8Array {
  const data = new Uint8Array(5)
  data[0] = opcodes.BININT
  new DataView(data.buffer).setInt32(1, value, true)
  return data
}

function tensorPickle({ sizes, strides, offset = 0, numel = 12 }: Layout): Uint8Array {
  const tuple = (values: readonly number[]) => ['MARK', ...values.map(intOpcode), 'TUPLE'] as const
  return pickleBytes(
    ...([globalOpcode('torch._utils', '_rebuild_tensor_v2'), 'MARK', 'MARK', textOpcode('storage')] as const),
    ...([
      globalOpcode('torch', 'FloatStorage'),
      textOpcode('k'),
      textOpcode('cpu'),
      intOpcode(numel),
    ] as const),
    ...(['TUPLE', 'BINPERSID', intOpcode(offset)] as const),
    ...tuple(sizes),
    ...tuple(strides),
    ...([
      'NEWFALSE',
      globalOpcode('collections', 'OrderedDict'),
      'EMPTY_TUPLE',
      'REDUCE',
      'TUPLE',
      'REDUCE',
    ] as const),
  )
}
