import { describe, expect, it } from 'vitest'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import { printLines } from '../../src/ir/graph-printer.ts'
import { lineOf } from '../../src/ir/verifier-report.ts'
import { findFaults } from '../../src/ir/verifier.ts'
import { readTextFile } from '../support/text-cases.ts'

/** The lines of a text that carry `#! message`, once or more often, without it. */
function markedLines(text: string): { line: string; message: string }[] {
  return Array.from(text.matchAll(/^ *(.*?) *#! (.*)$/gm), ([, line = '', messages = '']) =>
    messages.split(' #! ').map((message) => ({ line, message })),
  ).flat()
}

describe('verifier', () => {
  for (const { title, before } of readTextFile(new URL('../verifier/rules.ir', import.meta.url)).cases)
    it(title, () => {
      const graph = parseGraph(before)
      const lines = printLines(graph)
      const faults = findFaults(graph).map(({ subject, message }) => ({
        line: lines[lineOf(subject, lines)]?.text.trim(),
        message,
      }))
      const marked = markedLines(before)
      expect(new Set(faults.map((fault) => fault.line))).toEqual(new Set(marked.map(({ line }) => line)))
      for (const { line, message } of marked)
        expect(faults).toContainEqual({ line, message: expect.stringContaining(message) as string })
    })
})
