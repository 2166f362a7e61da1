import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/ir/graph-editor.ts'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { verifyGraph } from '../../src/ir/verifier.ts'

const folder = new URL('graphs/', import.meta.url)

describe('texts of libtorch', () => {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.txt'))) {
    const text = readFileSync(new URL(name, folder), 'utf8')
    it(`${name} is printed as libtorch prints it`, () => {
      const graph = parseGraph(text)
      expect(printGraph(graph, { ranges: true })).toBe(text)
      verifyGraph(graph)
    })
    it(`a copy of ${name} prints the same up to numbers`, () => {
      const graph = parseGraph(text)
      const options = { names: 'renumbered', ranges: true } as const
      expect(printGraph(copyGraph(graph), options)).toBe(printGraph(graph, options))
    })
  }
})
