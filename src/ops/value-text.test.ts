import { describe, expect, it } from 'vitest'
import { Complex, Device, Dict, Double, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { AnyT, FloatT, IntT, StringT, TensorT } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { bytesOf, textOfBytes } from './byte-text.ts'
import { findOperator } from './index.ts'
import { formatValue } from './value-text.ts'

const context = { warn: () => undefined, print: () => undefined, random: () => 0 }
const call = (key: string, ...args: IValue[]): IValue | undefined =>
  findOperator(key)!.evaluate(args, context)[0]
const strings = new Dict(StringT, FloatT)
strings.set('a', new Double(1))

// Every text here was given by libtorch 1.13.
describe('a value as text', () => {
  const cases: readonly (readonly [IValue, string])[] = [
    [new Double(1), '1.'],
    [new Double(0.1), '0.10000000000000001'],
    [new Double(1e20), '1e+20'],
    [new Double(1e18), '1000000000000000000.'],
    [new Double(9.3e18), '9.3e+18'],
    [new Double(1e-5), '1.0000000000000001e-05'],
    [new Double(0.0001), '0.0001'],
    [new Double(-0), '0.'],
    [new Double(-Infinity), '-inf'],
    [new Double(NaN), 'nan'],
    [new Double(5e-324), '4.9406564584124654e-324'],
    [new Double(123456789.123), '123456789.123'],
    [true, 'True'],
    [null, 'None'],
    [2n ** 62n, '4611686018427387904'],
    [new List(['a', 'b'], StringT), '[a, b]'],
    [new Tuple([1]), '(1,)'],
    [new Tuple([1, new Tuple([2, 3])]), '(1, (2, 3))'],
    [strings, '{a: 1.}'],
    [new Device('cuda', 1), 'cuda:1'],
    [new Complex(1.5, -2), '1.5-2.j'],
    [Tensor.from('int64', [3], [0, 1, 2]), ' 0\n 1\n 2\n[ CPULongType{3} ]'],
  ]
  it.each(cases)('%o', (value, text) => {
    expect(formatValue(value)).toBe(text)
  })

  it('is refused for a list that holds itself', () => {
    const list = new List([], AnyT)
    list.elements.push(list)
    expect(() => formatValue(list)).toThrow(/nested too deeply/)
  })
})

describe('format and %', () => {
  it('fill braces from the left and leave other braces alone', () => {
    expect(call('aten::format', '{} {}', 1, new Double(2), 3)).toBe('1 2.')
    expect(call('aten::format', '{0} {} {:d} {', 1)).toBe('{0} 1 {:d} {')
    expect(() => call('aten::format', '{} {}', 1)).toThrow(/too few arguments/)
  })

  it.each([
    ['%d', new Double(-3.7), '-3'],
    ['%f', 2, '2.000000'],
    ['%e', new Double(1234.5), '1.234500e+03'],
    ['%E', new Double(12345.678), '1.234568E+04'],
    ['%c', 65, 'A'],
    ['%d%%', 5, '5%'],
    ['%s', new List([1, 2], IntT), '[1, 2]'],
    ['%s and %i', new Tuple(['x', 4]), 'x and 4'],
  ] as const)('%s', (text, operand, expected) => {
    expect(call('aten::percentFormat', text, operand)).toBe(expected)
  })

  it.each([
    ['%5d', 1, /%5 is not supported/],
    ['%g', 1, /%g is not supported/],
    ['abc%', 1, /incomplete/],
    ['%f', 'a', /requires a number/],
    ['%s %s', 1, /too few/],
    ['none', 1, /too many/],
  ] as const)('%s is refused', (text, operand, message) => {
    expect(() => call('aten::percentFormat', text, operand)).toThrow(message)
  })
})

describe('strings are bytes', () => {
  it('that count, cut and join as UTF-8', () => {
    expect(call('aten::len.str', 'né')).toBe(3)
    const half = call('aten::__getitem__.str', 'né', 1)!
    const rest = call('aten::__getitem__.str', 'né', 2)!
    expect(call('aten::add.str', half, rest)).toBe('é')
    expect(call('aten::ord', half)).toBe(0xc3)
    expect(call('aten::find', 'né!', '!', 0, -1)).toBe(3)
  })

  it('and come back from any bytes', () => {
    for (const bytes of ['\xff\xfe', 'a\xc3', '\xed\xa0\x80', '\xf0\x9f\x98\x80', '\xe2\x82'])
      expect(bytesOf(textOfBytes(bytes))).toBe(bytes)
    expect(textOfBytes('\xf0\x9f\x98\x80')).toBe('😀')
  })
})

describe('tensors of lists', () => {
  const nested = new List([new List([1, 2], IntT), new List([3, 4], IntT)], { kind: 'List', element: IntT })
  it('have the shape of the lists and the dtype of their type', () => {
    const tensor = call('aten::tensor', nested, null, null, false) as Tensor
    expect([tensor.dtype, tensor.sizes, [...tensor.data]]).toEqual(['int64', [2, 2], [1n, 2n, 3n, 4n]])
    const floats = call('aten::as_tensor.list', new List([new Double(0.5)], FloatT), null, null) as Tensor
    expect([floats.dtype, [...floats.data]]).toEqual(['float32', [0.5]])
    const empty = call('aten::tensor', new List([], TensorT), null, null, true) as Tensor
    expect([empty.dtype, empty.sizes, empty.requiresGrad]).toEqual(['float32', [0], true])
  })

  it('are refused when rows differ in length', () => {
    const ragged = new List([new List([1], IntT), new List([], IntT)], { kind: 'List', element: IntT })
    expect(() => call('aten::tensor', ragged, null, null, false)).toThrow(/expected sequence of length 1/)
  })

  it('become lists again', () => {
    const tensor = call('aten::tensor', nested, null, null, false)!
    expect(call('prim::tolist', tensor, 2, 0)).toEqual(nested)
    expect(() => call('prim::tolist', tensor, 1, 0)).toThrow(/1 dimensions but the tensor has 2/)
    expect(() => call('prim::tolist', tensor, 2, 1)).toThrow(/another element type/)
  })
})

it('a repeated or padded text beyond memory is refused', () => {
  expect(() => call('aten::mul.left_t', new List([1], IntT), 1e12)).toThrow(/too long/)
  expect(() => call('aten::ljust', 'x', 1e12, ' ')).toThrow(/too long/)
  expect(() => call('prim::rangelist', 1e12)).toThrow(/too long/)
})
