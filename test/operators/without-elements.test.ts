import { expect, it } from 'vitest'
import type { IValue } from '../../src/ir/ivalue.ts'
import { findOperator } from '../../src/ops/index.ts'
import type { EvaluationContext } from '../../src/ops/operator.ts'
import { replaceTensors, tensorsIn } from '../../src/runtime/value-tensors.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { decodeArguments, readCases } from './operator-case.ts'

const context: EvaluationContext = { warn: () => undefined, print: () => undefined, random: () => 0.5 }

/** Packed sequences are left out: their lengths are elements of a tensor. */
const cases = readCases('recurrent').filter(
  ({ op, error }) => error === undefined && !op.endsWith('.data') && !/_pack|_pad_packed/.test(op),
)

function shapeOf({ dtype, sizes, strides }: Tensor): string {
  return `${dtype}[${sizes.join()}] ${strides.join()}`
}

function withoutElements({ dtype, sizes, strides }: Tensor): Tensor {
  return Tensor.meta(dtype, sizes, strides)
}

it.each([...new Set(cases.map(({ op }) => op))])('%s tells shapes, whichever tensors lack elements', (op) => {
  for (const { args: encoded } of cases.filter((one) => one.op === op)) {
    const operator = findOperator(op)!
    const args = decodeArguments(operator.schema, encoded)
    const run = (given: readonly IValue[]): Tensor[] =>
      operator.evaluate(given, context).flatMap((result) => [...tensorsIn(result)])
    const wanted = run(args).map(shapeOf)
    const tensors = new Set(args.flatMap((arg) => [...tensorsIn(arg)]))
    for (const missing of [tensors, ...Array.from(tensors, (tensor) => new Set([tensor]))]) {
      const replace = (tensor: Tensor): Tensor => (missing.has(tensor) ? withoutElements(tensor) : tensor)
      const results = run(args.map((arg) => replaceTensors(arg, replace)))
      expect(results.map(shapeOf)).toEqual(wanted)
    }
  }
})
