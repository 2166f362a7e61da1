import { describe, expect, it } from 'vitest'
import { AliasDatabase } from '../../src/ir/alias-database.ts'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import { schemaOfNode } from '../../src/ops/schema-table.ts'
import type { Graph, Node, Value } from '../../src/ir/graph.ts'
import { readTextFile } from '../support/text-cases.ts'

function valueOf(graph: Graph, name = ''): Value {
  const value = graph.value(name.slice(1))
  if (value === undefined) expect.fail(`no value ${name}`)
  return value
}

function nodeOf(graph: Graph, kind = ''): Node {
  const [node] = graph.nodes(kind)
  if (node === undefined) expect.fail(`no node ${kind}`)
  return node
}

/** What the database says of one statement of a case, spelt as the statement is. */
function answer(statement: string, graph: Graph, database: AliasDatabase): string {
  const [first = '', second = '', third] = statement.split(' ')
  if (third !== undefined) {
    const a = valueOf(graph, first)
    const b = valueOf(graph, third)
    const isContained = second.endsWith('@')
    const may = isContained ? database.mayContainAlias(a, b) : database.mayAlias(a, b)
    return `${first} ${may ? '' : '!'}${isContained ? '@' : '~'} ${third}`
  }
  if (first.endsWith('written'))
    return `${database.hasWriters(valueOf(graph, second)) ? 'written' : 'unwritten'} ${second}`
  return `${database.writesToWildcard(nodeOf(graph, second)) ? 'outside' : 'inside'} ${second}`
}

describe('alias database', () => {
  for (const textCase of readTextFile(new URL('alias/rules.ir', import.meta.url)).cases)
    it(textCase.title, () => {
      const graph = parseGraph(textCase.before)
      const database = new AliasDatabase(graph, schemaOfNode)
      const statements = (textCase.after ?? '').split('\n')
      expect(statements.map((statement) => answer(statement, graph, database))).toEqual(statements)
    })
})
