import type { Tensor } from '../tensor/tensor.ts'
import { elementwiseUnary } from './elementwise.ts'
import { renamed, withInPlace } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'
import { besselI0, digamma, inverseErf } from './special-functions.ts'

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** log(x / (1 - x)), x first brought to eps … 1 - eps. */
function logit(self: Tensor, eps: number | null): Tensor {
  const [low, high] = eps === null ? [-Infinity, Infinity] : [eps, 1 - eps]
  return elementwiseUnary(self, (x) => {
    const inside = x < low ? low : x > high ? high : x
    return Math.log(inside / (1 - inside))
  })
}

function unary(name: string, fn: (x: number) => number): Operator {
  return defineOp(`aten::${name as 'sinc'}(Tensor self) -> Tensor`, {
    reference: ({ self }) => elementwiseUnary(self, fn),
  })
}

const sincOperator = unary('sinc', sinc)
const digammaOperator = unary('digamma', digamma)
const erfinvOperator = unary('erfinv', inverseErf)
const besselOperator = unary('i0', besselI0)
const logitOperator = defineOp('aten::logit(Tensor self, float? eps=None) -> Tensor', {
  reference: ({ self, eps }) => logit(self, eps),
})

export const specialUnaryMathOperators: readonly Operator[] = [
  ...withInPlace(sincOperator, digammaOperator, erfinvOperator, besselOperator, logitOperator),
  renamed(sincOperator, 'aten::special_sinc'),
  renamed(digammaOperator, 'aten::special_digamma'),
  renamed(digammaOperator, 'aten::special_psi'),
  renamed(erfinvOperator, 'aten::special_erfinv'),
  renamed(besselOperator, 'aten::special_i0'),
  renamed(logitOperator, 'aten::special_logit'),
]
