import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { withEntries } from '../../test/support/archives.ts'
import { readArchive } from '../archive/archive.ts'
import { PermafrostError } from '../errors.ts'
import { loadBytes, saveBytes } from '../load.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import { tokenize } from './lexer.ts'
import { parseExpressionText, parseSource } from './statement-parser.ts'

/** Sources that libtorch wrote, each with the archive around it. */
const sources = ['models', 'recorded'].flatMap((folder) => {
  const url = new URL(`../../test/fixtures/${folder}/`, import.meta.url)
  const files = readdirSync(url).filter((file) => file.endsWith('.pt'))
  return files.flatMap((file) => {
    const archive = new Uint8Array(readFileSync(new URL(file, url)))
    return [...readArchive(archive).code].map(([path, { text }]) => ({ archive, path, text }))
  })
})

// One seed unless another is asked for: what fails must fail again.
fc.configureGlobal({ seed: Number(process.env['FUZZ_SEED'] ?? 20) })

/** At most a PermafrostError, and in bounded time. */
function expectCalm(run: () => unknown): void {
  const start = performance.now()
  try {
    run()
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error
    expect(error.found).not.toBe('')
  }
  // Far above what any of these takes: it catches what never ends, not what a busy machine slows down.
  expect(performance.now() - start).toBeLessThan(20_000)
}

const token = fc.constantFrom(
  ...'( ) [ ] { } , : ; . = == -> + - * ** / // % @ & | ^ ~ < > <= not and or in is if else elif for while'.split(
    ' ',
  ),
  ...'def class return raise assert with as pass break continue del None True False self x annotate'.split(
    ' ',
  ),
  ...[
    '\n',
    '\n  ',
    '\n    ',
    ' ',
    '"a"',
    "'",
    '"""',
    '\\',
    '\\\n',
    '#',
    '1',
    '0x',
    '1e',
    '1.5',
    '1j',
    'é',
    '\0',
  ],
)
const tokens = fc.array(token, { maxLength: 60 }).map((words) => words.join(' '))

/** A change of a text: what it cuts out at a place, and what it puts there instead. */
const edits = fc.array(
  fc.record({
    at: fc.nat(),
    cut: fc.integer({ min: 0, max: 12 }),
    insert: fc.oneof(token, fc.string({ maxLength: 4 }), fc.constant('')),
  }),
  { minLength: 1, maxLength: 5 },
)

function edited(text: string, changes: readonly { at: number; cut: number; insert: string }[]): string {
  let result = text
  for (const { at, cut, insert } of changes) {
    const start = at % (result.length + 1)
    result = result.slice(0, start) + insert + result.slice(start + cut)
  }
  return result
}

/** The text with some of its words and numbers exchanged for others of it: mostly still well-formed. */
function exchanged(text: string, changes: readonly (readonly [number, number])[]): string {
  const parts = text.split(/([A-Za-z_]\w*|\d+)/)
  const words = parts.filter((_, i) => i % 2 === 1)
  for (const [at, from] of changes) {
    const replacement = words[from % words.length]
    if (replacement !== undefined) parts[2 * (at % words.length) + 1] = replacement
  }
  return parts.join('')
}

/** Loads the archive with other code, compiles, inlines and saves it: each may be refused. */
function expectCalmModel(archive: Uint8Array, path: string, text: string): void {
  const bytes = withEntries(archive, { [`code/${path}`]: text })
  expectCalm(() => {
    const module = loadBytes(bytes)
    for (const method of module.root.type.methods.values()) expectCalm(() => inlinedGraph(method))
    expectCalm(() => saveBytes(module))
  })
}

describe('source that no machine wrote', { timeout: 120_000 }, () => {
  it('is cut into tokens and parsed, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), tokens), (text) => {
        expectCalm(() => tokenize({ name: 'fuzz', text }))
        expectCalm(() => parseSource({ name: 'fuzz', text }))
        expectCalm(() => parseExpressionText({ name: 'fuzz', text }))
      }),
      { numRuns: 2000 },
    )
  })

  it('is parsed or refused after random edits of real source', () => {
    fc.assert(
      fc.property(fc.constantFrom(...sources), edits, ({ text }, changes) =>
        expectCalm(() => parseSource({ name: 'fuzz', text: edited(text, changes) })),
      ),
      { numRuns: 500 },
    )
  })

  it('is compiled and saved or refused after random edits of real source', () => {
    fc.assert(
      fc.property(fc.constantFrom(...sources), edits, ({ archive, path, text }, changes) => {
        expectCalmModel(archive, path, edited(text, changes))
      }),
      { numRuns: Number(process.env['FUZZ'] ?? 150) },
    )
  })

  it('is compiled and saved or refused after its words changed places', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.constantFrom(...sources), changes, ({ archive, path, text }, pairs) => {
        expectCalmModel(archive, path, exchanged(text, pairs))
      }),
      { numRuns: Number(process.env['FUZZ'] ?? 150) },
    )
  })
})
