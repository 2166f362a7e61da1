import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { agrees, decodeValue, encodeValue, type PlainValue } from '../../test/support/plain-values.ts'
import { PermafrostError } from '../errors.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { Tuple, type IValue } from '../ir/ivalue.ts'
import type { Type } from '../ir/types.ts'
import { RaisedException } from './errors.ts'
import { runGraph } from './interpreter.ts'

interface ProgramCase {
  readonly inputs: readonly PlainValue[]
  readonly result?: PlainValue
  readonly raises?: string
  readonly fails?: string
}

const fixture = new URL('../../test/fixtures/programs.json', import.meta.url)
const programs = JSON.parse(readFileSync(fixture, 'utf8')) as {
  readonly name: string
  readonly graph: string
  readonly cases: readonly ProgramCase[]
}[]

/** A value whose own form says its type: for inputs that are declared as Any or a Union. */
function dynamicType(value: PlainValue): Type {
  if (value === null || typeof value !== 'object') return { kind: 'Any' }
  if ('list' in value) return { kind: 'List', element: { kind: 'Int' } }
  return { kind: 'Any' }
}

function inputOf(value: PlainValue, type: Type): IValue {
  return decodeValue(value, type.kind === 'Any' || type.kind === 'Union' ? dynamicType(value) : type)
}

function outcome(text: string, inputs: readonly PlainValue[]): Omit<ProgramCase, 'inputs'> {
  const graph = parseGraph(text)
  try {
    const results = runGraph(
      graph,
      inputs.map((input, i) => inputOf(input, graph.inputs[i]!.type)),
    )
    return { result: encodeValue(results.length === 1 ? results[0]! : new Tuple(results)) }
  } catch (error) {
    if (error instanceof RaisedException) return { raises: error.found }
    if (error instanceof PermafrostError && error.code !== 'unsupported-operator')
      return { fails: error.found }
    throw error
  }
}

describe('scripted functions answer as in libtorch', () => {
  for (const { name, graph, cases } of programs)
    for (const { inputs, ...expected } of cases)
      it(`${name}(${inputs.map((input) => JSON.stringify(input)).join(', ')})`, () => {
        const found = outcome(graph, inputs)
        if (
          expected.result !== undefined &&
          found.result !== undefined &&
          agrees(found.result, expected.result)
        )
          return
        if (expected.raises !== undefined)
          expect(`builtins.${found.raises ?? ''}`).toContain(expected.raises.replace(/^RuntimeError: /, ''))
        else if (expected.fails !== undefined) expect(found.fails).toBeDefined()
        else expect(found).toEqual(expected)
      })
})
