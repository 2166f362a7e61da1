import type { Program, Statement, Statements } from './program.ts'

const maxAttempts = 600

/**
 * A smaller program that still fails: statements, branches, whole bodies and preserved names are left out as long as
 * `fails` says so.
 */
export function shrink(program: Program, fails: (program: Program) => boolean): Program {
  let smallest = program
  let attempts = 0
  for (let again = true; again;) {
    again = false
    for (const candidate of smallerPrograms(smallest)) {
      if (++attempts > maxAttempts) return smallest
      if (!fails(candidate)) continue
      smallest = candidate
      again = true
      break
    }
  }
  return smallest
}

function* smallerPrograms(program: Program): Generator<Program> {
  for (const [i, method] of program.methods.entries())
    for (const body of smallerBodies(method.body))
      yield { ...program, methods: program.methods.with(i, { ...method, body }) }
  for (const [i, method] of program.methods.entries())
    for (const last of smallerReturns(method.last))
      yield { ...program, methods: program.methods.with(i, { ...method, last }) }
  for (const name of program.preserved)
    yield { ...program, preserved: program.preserved.filter((other) => other !== name) }
}

function* smallerBodies(body: Statements): Generator<Statements> {
  if (body.length > 1) yield []
  if (body.length > 3) {
    const half = Math.floor(body.length / 2)
    yield body.slice(half)
    yield body.slice(0, half)
  }
  for (const i of [...body.keys()].reverse()) {
    yield body.toSpliced(i, 1)
    for (const replacement of smallerStatements(body[i] as Statement))
      yield body.toSpliced(i, 1, ...replacement)
  }
}

function* smallerStatements({ text, blocks }: Statement): Generator<Statements> {
  if (blocks === undefined) return
  yield* blocks
  for (const [i, block] of blocks.entries())
    for (const smaller of smallerBodies(block)) yield [{ text, blocks: blocks.with(i, smaller) }]
}

/** Simpler results of the same types. */
function* smallerReturns(last: string): Generator<string> {
  const simple = 'return (x, m, k, [x, m])'
  if (last.startsWith('return (') && last.endsWith('])') && last !== simple) {
    yield simple
    yield last.replace(/, \[[^[\]]*\]\)$/, ', [x, m])')
  }
  if (last.startsWith('return ') && !last.startsWith('return (') && last !== 'return a') yield 'return a'
}
