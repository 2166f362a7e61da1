import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PermafrostError } from '../../src/errors.ts'
import { parseGraph, type ParseOptions } from '../../src/ir/graph-parser.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import type { Graph } from '../../src/ir/graph.ts'

/*
 * Textual cases:
 *
 *     # passes: fold-conv-batch-norm, eliminate-dead-code
 *     ## folds a frozen batch norm into its convolution
 *     graph(%x : Tensor): …
 *     ==>
 *     graph(%x : Tensor): …
 *     # missed: %y.2: %y.1 has other uses
 *
 * `==> unchanged` stands for the same graph again. A line that must fail carries `#! ` and a part of the message;
 * such a case has no arrow. PERMAFROST_BLESS=1 writes what comes out into the file.
 */

export interface TextCase {
  readonly title: string
  /** 1-based line of the title. */
  readonly line: number
  readonly before: string
  /** Undefined where nothing stands behind the arrow, or without an arrow. */
  readonly after: string | undefined
  /** `# key: text` lines behind the arrow, without the `# `, sorted. */
  readonly notes: readonly string[]
  /** `#! message` lines. */
  readonly failures: readonly { readonly line: number; readonly message: string }[]
}

export interface TextFile {
  readonly name: string
  readonly url: URL
  /** `# key: text` lines above the first case. */
  readonly settings: ReadonlyMap<string, string>
  readonly cases: readonly TextCase[]
}

export function readTextFile(url: URL): TextFile {
  const [head = '', ...parts] = readFileSync(url, 'utf8').split(/^## /m)
  const settings = Array.from(
    head.matchAll(/^# ([\w-]+):[ \t]*(.*?)[ \t]*$/gm),
    ([, key = '', text = '']) => [key, text],
  )
  let line = head.split('\n').length
  const cases = parts.map((part): TextCase => {
    const textCase = readCase(part, line)
    line += part.split('\n').length - 1
    return textCase
  })
  const name = decodeURIComponent(url.pathname).replace(/^.*\/|\.[^.]*$/g, '')
  return { name, url, settings: new Map(settings as [string, string][]), cases }
}

function readCase(part: string, line: number): TextCase {
  const [title = ''] = part.split('\n', 1)
  const [before = '', behind] = part.slice(title.length + 1).split(/^==>[ \t]*/m)
  const text = behind?.replace(/^# .*$/gm, '').trim()
  const failures = before
    .split('\n')
    .flatMap((text, i) =>
      text.includes('#!') ? [{ line: i + 1, message: text.replace(/^.*#!\s*/, '').trim() }] : [],
    )
  return {
    title,
    line,
    before,
    after: text === 'unchanged' ? before : text === '' ? undefined : text,
    notes: Array.from(behind?.matchAll(/^# (.*)$/gm) ?? [], ([, note = '']) => note).sort(),
    failures,
  }
}

/** The graph without comments and with nameless values counted from 0: what two texts are compared by. */
export function normalForm(graph: Graph): string {
  return printGraph(graph, { names: 'renumbered' })
}

export interface TextCaseOptions {
  /** Changes the graph of a case; returns notes (`missed: …`) that must be those behind the arrow. */
  readonly transform: (graph: Graph, file: TextFile, textCase: TextCase) => readonly string[] | undefined
  /** Asked of every case that came out as written, for instance to run both graphs and compare. */
  readonly check?: (before: Graph, after: Graph, file: TextFile, textCase: TextCase) => void | Promise<void>
  readonly parse?: ParseOptions
}

/** Defines a test for each case of each `.ir` file in the folder. */
export function testTextCases(folder: URL, options: TextCaseOptions): void {
  for (const name of readdirSync(folder)
    .filter((entry) => entry.endsWith('.ir'))
    .sort())
    testTextFile(new URL(name, folder), options)
}

export function testTextFile(url: URL, options: TextCaseOptions): void {
  const file = readTextFile(url)
  describe(file.name, () => {
    for (const textCase of file.cases)
      it(textCase.title, async () => {
        if (textCase.failures.length > 0) expectFailure(file, textCase, options)
        else await expectResult(file, textCase, options)
      })
  })
}

function expectFailure(file: TextFile, textCase: TextCase, options: TextCaseOptions): void {
  const [failure] = textCase.failures
  try {
    options.transform(parseGraph(textCase.before, options.parse), file, textCase)
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error
    expect(error.message).toContain(failure?.message)
    if (error.place.line !== undefined) expect(error.place.line).toBe(failure?.line)
    return
  }
  expect.fail(`line ${failure?.line ?? ''} was accepted: ${failure?.message ?? ''}`)
}

async function expectResult(file: TextFile, textCase: TextCase, options: TextCaseOptions): Promise<void> {
  const before = parseGraph(textCase.before, options.parse)
  const graph = parseGraph(textCase.before, options.parse)
  const notes = [...(options.transform(graph, file, textCase) ?? [])].sort()
  const got = normalForm(graph)
  if (process.env['PERMAFROST_BLESS'] === '1') {
    bless(file, textCase, got === normalForm(before) ? 'unchanged' : `\n${got.trimEnd()}`, notes)
  } else {
    expect(textCase.after, 'nothing stands behind the arrow; bless the case').toBeDefined()
    expect(got).toBe(normalForm(parseGraph(textCase.after ?? '', options.parse)))
    expect(notes).toEqual(textCase.notes)
  }
  await options.check?.(before, graph, file, textCase)
}

/** Replaces what stands behind the arrow of one case. */
function bless(file: TextFile, textCase: TextCase, result: string, notes: readonly string[]): void {
  const parts = readFileSync(file.url, 'utf8').split(/^(?=## )/m)
  const at = parts.findIndex((part) => part.startsWith(`## ${textCase.title}\n`))
  const [before = ''] = (parts[at] ?? '').split(/^==>/m)
  const arrow = result === 'unchanged' ? '==> unchanged' : `==>${result}`
  parts[at] =
    `${[`${before.trimEnd()}\n${arrow}`, ...notes.map((note) => `# ${note}`)].join('\n')}\n${at === parts.length - 1 ? '' : '\n'}`
  writeFileSync(file.url, parts.join(''))
}
