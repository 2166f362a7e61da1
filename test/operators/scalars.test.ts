import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PermafrostError } from '../../src/errors.ts'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { runGraph } from '../../src/runtime/interpreter.ts'
import { agrees, decodeValue, encodeValue, type PlainValue } from '../support/plain-values.ts'

interface Group {
  readonly graph: string
  readonly cases: readonly {
    readonly args: readonly PlainValue[]
    readonly results?: readonly PlainValue[]
    readonly error?: true
  }[]
}

const fixture = new URL('../fixtures/operators/scalars.json.gz', import.meta.url)
const groups = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as Group[]

function outcome(graph: Graph, args: readonly PlainValue[]): readonly PlainValue[] | 'error' {
  try {
    const inputs = args.map((arg, i) => decodeValue(arg, graph.inputs[i]!.type))
    return runGraph(graph, inputs).map(encodeValue)
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'unsupported-operator') throw error
    return 'error'
  }
}

describe('operators on numbers, strings, lists and dicts answer as libtorch does', () => {
  it.each(groups.map((group) => [group.graph.split('\n').slice(0, 2).join(' '), group] as const))(
    '%s',
    (_, group) => {
      const graph = parseGraph(group.graph)
      for (const { args, results } of group.cases) {
        const found = outcome(graph, args)
        const expected = results ?? 'error'
        const isRight =
          found === 'error' || expected === 'error'
            ? found === expected
            : agrees(found as never, expected as never)
        if (!isRight) expect({ args, outcome: found }).toEqual({ args, outcome: expected })
      }
    },
  )
})
