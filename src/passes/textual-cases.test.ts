import { expect } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { testTextCases } from '../../test/support/text-cases.ts'
import { PermafrostError } from '../errors.ts'
import type { Graph } from '../ir/graph.ts'
import { Dict, Double, List, Tuple, type IValue } from '../ir/ivalue.ts'
import type { Type } from '../ir/types.ts'
import { runGraph } from '../runtime/interpreter.ts'
import { findPass } from './all-passes.ts'
import { runPasses } from './pass-manager.ts'
import { valuesEqual } from './support/node-identity.ts'

interface Inputs {
  readonly sizes: readonly number[]
  readonly optional: boolean
}

/** What tensors without a known shape are tried with, until the graph takes them. */
const attempts: readonly Inputs[] = [
  { sizes: [2, 2], optional: true },
  { sizes: [2, 2, 3, 3], optional: false },
]

function valueOf(type: Type, inputs: Inputs, seed: number): IValue {
  switch (type.kind) {
    case 'Tensor':
      return noise(type.sizes?.every((size) => size !== null) === true ? type.sizes : inputs.sizes, seed)
    case 'Int':
      return seed + 2
    case 'Float':
      return new Double(seed / 4)
    case 'Bool':
      return seed % 2 === 0
    case 'String':
      return `text ${seed}`
    case 'Optional':
      return inputs.optional ? valueOf(type.element, inputs, seed) : null
    case 'List':
      return new List(
        [valueOf(type.element, inputs, seed), valueOf(type.element, inputs, seed + 1)],
        type.element,
      )
    case 'Tuple':
      return new Tuple(type.elements.map((element, i) => valueOf(element, inputs, seed + i)))
    case 'Dict':
      return new Dict(type.key, type.value)
    default:
      return null
  }
}

/** The outputs and what has become of the inputs, or the error. */
function outcome(graph: Graph, inputs: Inputs, seed: number): IValue[] | PermafrostError {
  const values = graph.inputs.map((input, i) => valueOf(input.type, inputs, seed + i))
  try {
    return [...runGraph(graph, values), ...values]
  } catch (error) {
    if (error instanceof PermafrostError) return error
    throw error
  }
}

/** Runs both graphs, each once per seed: a graph may write its own constants. */
function expectSame(before: Graph, after: Graph): void {
  for (const seed of [0, 1]) {
    for (const inputs of attempts) {
      const expected = outcome(before, inputs, seed)
      if (!Array.isArray(expected)) continue
      const got = outcome(after, inputs, seed)
      expect(got).toHaveLength(expected.length)
      if (Array.isArray(got))
        for (const [i, value] of expected.entries())
          expect(valuesEqual(got[i] ?? null, value), `value ${i}`).toBe(true)
      break
    }
  }
}

testTextCases(new URL('../../test/passes/', import.meta.url), {
  transform(graph, file) {
    const passes = (file.settings.get('passes') ?? '').split(/,\s*/).map(findPass)
    const notes: string[] = []
    runPasses(graph, passes, {
      verify: true,
      onEvent: ({ kind, value, node, why }) => {
        if (kind === 'miss') notes.push(`missed: ${value === undefined ? node : `%${value}`}: ${why}`)
      },
    })
    return notes
  },
  check: expectSame,
})
