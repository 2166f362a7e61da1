import { andInt, orInt, shiftLeftInt, shiftRightInt, xorInt, type Int } from './int64.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily, rawTable } from './raw-family.ts'
import { toInt } from './scalar-values.ts'

function bitwise(name: string, onInts: (a: Int, b: Int) => Int): Operator[] {
  return rawFamily(forEach(['bool', 'int'], `aten::${name}.KEY(KEY a, KEY b) -> KEY`), ([a, b]) => {
    const result = onInts(toInt(a), toInt(b))
    return typeof a === 'boolean' ? result !== 0 : result
  })
}

export const scalarLogic: readonly Operator[] = [
  ...bitwise('__and__', andInt),
  ...bitwise('__or__', orInt),
  ...bitwise('__xor__', xorInt),
  ...rawTable({
    'aten::__not__(bool self) -> bool': ([self]) => self === false,
    'aten::__lshift__.int(int a, int b) -> int': ([a, b]) => shiftLeftInt(toInt(a), toInt(b)),
    'aten::__rshift__.int(int a, int b) -> int': ([a, b]) => shiftRightInt(toInt(a), toInt(b)),
  }),
]
