import { printLines, type PrintedLine } from './graph-printer.ts'
import { Block, Node, type Graph, type Value } from './graph.ts'
import type { Fault } from './verifier.ts'

/** Lines shown before and behind a line with a fault. */
const contextLines = 2

/** The faults below the lines they are about, with what is around; the rest of the graph is left out. */
export function formatFaults(graph: Graph, faults: readonly Fault[]): string {
  const lines = printLines(graph)
  const byLine = new Map<number, Fault[]>()
  for (const fault of faults) {
    const at = lineOf(fault.subject, lines)
    byLine.set(at, [...(byLine.get(at) ?? []), fault])
  }
  const shown: string[] = []
  let isGap = false
  lines.forEach(({ text }, i) => {
    const isNear = [...byLine.keys()].some((at) => Math.abs(at - i) <= contextLines)
    if (isNear) shown.push(text)
    else if (!isGap) shown.push('  ...')
    isGap = !isNear
    const indent = ' '.repeat(text.length - text.trimStart().length)
    for (const { message } of byLine.get(i) ?? []) shown.push(`${indent}^-- ${message}`)
  })
  for (const { message } of byLine.get(-1) ?? []) shown.push(`^-- ${message}`)
  const count = faults.length === 1 ? 'a rule' : `${faults.length} rules`
  return `the graph breaks ${count} of the IR\n${shown.join('\n')}`
}

/** 0-based, in the printed graph; -1 for what is not printed. */
export function lineOf(subject: Fault['subject'], lines: readonly PrintedLine[]): number {
  const exact = lines.findLastIndex((line) => line.subject === subject)
  if (exact !== -1 || subject instanceof Block || subject instanceof Node) return exact
  return lineOfValue(subject, lines)
}

/** A value that heads no line of its own: an output of a node or an input of a nested block. */
function lineOfValue(value: Value, lines: readonly PrintedLine[]): number {
  return lines.findIndex(({ subject }) =>
    subject instanceof Block
      ? subject.inputs.includes(value)
      : subject instanceof Node && subject.outputs.includes(value),
  )
}
