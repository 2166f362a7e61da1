import type { Tensor } from '../tensor/tensor.ts'
import { predicate, type Operand } from './binary.ts'
import { sameSizes } from './broadcast.ts'
import { mapUnary, type BinaryKernel } from './elementwise.ts'
import { OperatorArgumentError } from './errors.ts'
import { renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { numberData } from './tensor-access.ts'

/** A relation that reads the same on numbers and bigints. */
function relation(holds: (a: number, b: number) => boolean): BinaryKernel {
  return { number: holds, bigint: holds as unknown as (a: bigint, b: bigint) => boolean }
}

function comparisons(name: string, kernel: BinaryKernel, ...synonyms: string[]): Operator[] {
  const compare = ({ self, other }: { readonly self: Tensor; readonly other: Operand }): Tensor =>
    predicate(self, other, kernel)
  const operators = withInPlace(
    defineOp(`aten::${name}.Tensor(Tensor self, Tensor other) -> Tensor`, { reference: compare }),
    defineOp(`aten::${name}.Scalar(Tensor self, Scalar other) -> Tensor`, { reference: compare }),
  )
  const others = synonyms.flatMap((synonym) =>
    operators.map((operator) => renamed(operator, operator.schema.name.replace(name, synonym))),
  )
  return [...operators, ...others]
}

const equality = relation((a, b) => a === b)

interface Closeness {
  readonly rtol: number
  readonly atol: number
  readonly equal_nan: boolean
}

/** Whether |a − b| ≤ atol + rtol·|b|, for each pair. */
function isClose(self: Tensor, other: Tensor, { rtol, atol, equal_nan }: Closeness): Tensor {
  if (self.dtype !== other.dtype)
    throw new OperatorArgumentError(`${self.dtype} did not match ${other.dtype}`)
  const close = (a: number, b: number): boolean =>
    a === b ||
    (equal_nan && a !== a && b !== b) ||
    (Number.isFinite(b) && Math.abs(a - b) <= atol + Math.abs(rtol * b))
  return predicate(self, other, { number: close, bigint: (a, b) => close(Number(a), Number(b)) })
}

function isEqual(self: Tensor, other: Tensor): boolean {
  return sameSizes(self.sizes, other.sizes) && holdsEverywhere(predicate(self, other, equality))
}

function holdsEverywhere(truths: Tensor): boolean {
  return numberData(truths).every((truth) => truth !== 0)
}

function classification(name: string, holds: (x: number) => boolean): Operator {
  return defineOp(`aten::${name}(Tensor self) -> Tensor`, {
    reference: ({ self }) =>
      mapUnary(self, 'bool', { number: holds, bigint: (x) => holds(x === 0n ? 0 : x < 0n ? -1 : 1) }),
  })
}

export const comparisonOperators: readonly Operator[] = [
  ...comparisons('eq', equality),
  ...comparisons(
    'ne',
    relation((a, b) => a !== b),
    'not_equal',
  ),
  ...comparisons(
    'lt',
    relation((a, b) => a < b),
    'less',
  ),
  ...comparisons(
    'le',
    relation((a, b) => a <= b),
    'less_equal',
  ),
  ...comparisons(
    'gt',
    relation((a, b) => a > b),
    'greater',
  ),
  ...comparisons(
    'ge',
    relation((a, b) => a >= b),
    'greater_equal',
  ),
  classification('isnan', Number.isNaN),
  classification('isinf', (x) => Math.abs(x) === Infinity),
  classification('isfinite', Number.isFinite),
  classification('isposinf', (x) => x === Infinity),
  classification('isneginf', (x) => x === -Infinity),
  classification('signbit', (x) => x < 0 || Object.is(x, -0)),
  defineOp('aten::equal(Tensor self, Tensor other) -> bool', {
    reference: ({ self, other }) => isEqual(self, other),
  }),
  defineOp(
    'aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> Tensor',
    { reference: ({ self, other, ...closeness }) => isClose(self, other, closeness) },
  ),
  defineOp(
    'aten::allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> bool',
    { reference: ({ self, other, ...closeness }) => holdsEverywhere(isClose(self, other, closeness)) },
  ),
]
