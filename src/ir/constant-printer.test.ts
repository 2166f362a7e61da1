import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { parseConstant } from './constant-parser.ts'
import { printConstant, printDouble, printQuoted } from './constant-printer.ts'
import { Complex, Device, Dict, Double, List, Tuple, type IValue } from './ivalue.ts'
import { tensorOfElements } from './tensor-elements.ts'
import { TextCursor } from './text-cursor.ts'
import { AnyT, FloatT, IntT, optionalOf, StringT, TensorT } from './types.ts'

interface TensorCase {
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly elements: readonly string[]
  readonly text: string
}

const file = new URL('../../test/ir/graphs/tensors.json', import.meta.url)
const tensorCases = JSON.parse(readFileSync(file, 'utf8')) as readonly TensorCase[]

function toNumber(text: string): number {
  return Number(text.replace('inf', 'Infinity'))
}

function read(text: string): IValue {
  return parseConstant(new TextCursor(text), { named: () => undefined, tensor: () => undefined })
}

describe('printConstant', () => {
  it('prints tensors as libtorch does', () => {
    for (const { dtype, sizes, elements, text } of tensorCases)
      expect(printConstant(tensorOfElements(dtype, sizes, elements.map(toNumber)))).toBe(text)
  })

  it('prints a tensor in the order of its elements, wherever they lie', () => {
    const base = Tensor.from('float32', [2, 3], [1, 2, 3, 4, 5, 6])
    expect(printConstant(base.asStrided([3, 2], [1, 3]))).toBe(' 1  4  2  5  3  6 [ CPUFloatType{3,2} ]')
    expect(printConstant(base, 'elided')).toBe('<Tensor>')
    expect(printConstant(base.asStrided([2], [3], 1), 'literal')).toBe('<Tensor float32[2] 2 5>')
  })

  it('prints bools and devices at the top as what they are stored as', () => {
    expect(printConstant(true)).toBe('1')
    expect(printConstant(new Tuple([true, new Device('cuda', 1)]))).toBe('(True, torch.device("cuda:1"))')
    expect(printConstant(new Device('cpu'))).toBe('"cpu"')
  })

  it('says the type of containers that do not show it', () => {
    expect(printConstant(new List([], IntT))).toBe('annotate(List[int], [])')
    expect(printConstant(new List([1, null], optionalOf(IntT)))).toBe(
      'annotate(List[Optional[int]], [1, None])',
    )
    expect(printConstant(new List([], TensorT))).toBe('[<Tensors>]')
    const dict = new Dict(StringT, FloatT)
    expect(printConstant(dict)).toBe('annotate(Dict[str, float],{})')
    dict.set('a', new Double(1))
    expect(printConstant(dict)).toBe('{"a": 1.}')
  })

  it('prints floats so that they stay floats below 1e10', () => {
    expect([1, -0, 0.1, 1e10, Infinity].map(printDouble)).toEqual([
      '1.',
      '-0.',
      '0.10000000000000001',
      '10000000000',
      'inf',
    ])
    expect(printConstant(new Complex(1, -0.5))).toBe('1.-0.5j')
  })
})

describe('printQuoted', () => {
  it('escapes bytes as libtorch does, negative ones included', () => {
    expect(printQuoted('a"b\'c\\\n\x00\x7f')).toBe('"a\\"b\\\'c\\\\\\n\\000\\177"')
    expect(printQuoted('é€')).toBe('"\\0)+\\/.)\\0-*\\/)*\\/.,"')
  })

  it('is read back whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(read(printQuoted(text))).toBe(text)
      }),
    )
  })
})

describe('parseConstant', () => {
  it('reads what is printed of numbers, lists, tuples and dictionaries', () => {
    const { value } = fc.letrec<{ value: IValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.double({ max: 1e9, min: -1e9 }).map((number) => new Double(number)),
        fc.string(),
        fc.array(tie('value'), { maxLength: 3 }).map((elements) => new Tuple(elements)),
        fc.array(tie('value'), { maxLength: 3 }).map((elements) => new List(elements, AnyT)),
      ),
    }))
    fc.assert(
      fc.property(value, (constant) => {
        const text = printConstant(new Tuple([constant]))
        expect(printConstant(read(text))).toBe(text)
      }),
    )
  })
})
