import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import { Dict, Double, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { printAnnotation } from '../ir/type-printer.ts'
import { dictOf, FloatT, IntT, listOf, optionalOf, StringT, tupleOf, BoolT, type Type } from '../ir/types.ts'
import { runMethod } from '../runtime/module-runner.ts'
import { printFloat, printLiteral, quoteString } from './python-literals.ts'

/** What a method returns whose body is `return LITERAL`. */
function readBack(value: IValue, type: Type): IValue {
  const literal = printLiteral(value, () => expect.fail('a literal needs no table'))
  const text = `class M(Module):
  def forward(self: __torch__.M) -> ${printAnnotation(type)}:
    return ${literal}
`
  return runMethod(new ModuleSource(text).make('M', {}), 'forward', [])
}

type Typed = readonly [IValue, Type]

const int64 = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n))
const scalar = fc.oneof(
  int64.map((n): Typed => [n, IntT]),
  fc.double().map((x): Typed => [new Double(x), FloatT]),
  fc.string({ unit: 'binary' }).map((text): Typed => [text, StringT]),
  fc.boolean().map((b): Typed => [b, BoolT]),
)
/** Lists and dicts hold several values of one type: those whose type is that of the first. */
function alike(items: readonly Typed[]): readonly [IValue[], Type] {
  const type = items[0]?.[1] ?? IntT
  return [items.filter(([, own]) => own === type).map(([value]) => value), type]
}
const typed: fc.Arbitrary<Typed> = fc.letrec<{ value: Typed }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 4 }).map((items): Typed => {
      const [values, type] = alike(items)
      return [new List(values, type), listOf(type)]
    }),
    fc
      .array(tie('value'), { minLength: 1, maxLength: 3 })
      .map((items): Typed => [
        new Tuple(items.map(([value]) => value)),
        tupleOf(items.map(([, type]) => type)),
      ]),
    fc.array(fc.tuple(fc.string(), scalar), { maxLength: 3 }).map((entries): Typed => {
      const [values, type] = alike(entries.map(([, item]) => item))
      const dict = new Dict(StringT, type)
      values.forEach((value, i) => dict.set(entries[i]?.[0] ?? '', value))
      return [dict, dictOf(StringT, type)]
    }),
    fc.constant<Typed>([null, optionalOf(StringT)]),
  ),
})).value

describe('literals', () => {
  it('are read back as the values that they were printed from', () => {
    fc.assert(
      fc.property(typed, ([value, type]) => {
        expect(readBack(value, type)).toStrictEqual(value)
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    [1, '1.'],
    [-0, '-0.'],
    [0.1, '0.1'],
    [1e21, '1e+21'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
  ])('of floats are never those of ints: %d', (value, text) => {
    expect(printFloat(value)).toBe(text)
  })

  it('of strings are ASCII', () => {
    expect(quoteString('grün "\\\n')).toBe(String.raw`"gr\303\274n \"\\\n"`)
  })
})
