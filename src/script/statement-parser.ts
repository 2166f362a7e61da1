import type { Source } from '../ir/source-range.ts'
import { parseExpression, parseExpressionList, parseTarget } from './expression-parser.ts'
import type { ClassDef, Expr, FunctionDef, IfStmt, Parameter, Ranged, Stmt, WithStmt } from './syntax.ts'
import { findTooDeep } from './syntax-depth.ts'
import { TokenStream } from './token-stream.ts'

/**
 * Parses a file of TorchScript source into its top-level definitions.
 *
 * @throws ScriptSyntaxError
 */
export function parseSource(source: Source): Stmt[] {
  const tokens = new TokenStream(source)
  const statements: Stmt[] = []
  while (tokens.current.kind !== 'end') statements.push(...parseStatement(tokens))
  expectModestDepth(tokens, statements)
  return statements
}

/** Parses one expression that makes up the whole text, such as a type annotation. */
export function parseExpressionText(source: Source): Expr {
  const tokens = new TokenStream(source)
  const expr = parseExpressionList(tokens)
  tokens.takeKind('newline')
  tokens.expectKind('end')
  expectModestDepth(tokens, [expr])
  return expr
}

function expectModestDepth(tokens: TokenStream, trees: readonly Ranged[]): void {
  const tooDeep = findTooDeep(trees)
  if (tooDeep) tokens.fail('an expression or block is nested too deeply', tooDeep.start)
}

type StatementParser = (tokens: TokenStream, start: number) => Stmt

/** Statements that open a block, by their first word. */
const compound: Readonly<Record<string, StatementParser>> = {
  if: parseIf,
  while: (tokens, start) => {
    const condition = parseExpressionList(tokens)
    return { kind: 'while', condition, body: parseBlock(tokens), start, end: tokens.previousEnd }
  },
  for: (tokens, start) => {
    const target = parseTarget(tokens)
    const iterable = parseExpressionList(tokens)
    return { kind: 'for', target, iterable, body: parseBlock(tokens), start, end: tokens.previousEnd }
  },
  with: parseWith,
  def: parseDef,
  class: parseClass,
}

/** Statements of one line, by their first word. */
const simple: Readonly<Record<string, StatementParser>> = {
  pass: (tokens, start) => ({ kind: 'pass', start, end: tokens.previousEnd }),
  break: (tokens, start) => ({ kind: 'break', start, end: tokens.previousEnd }),
  continue: (tokens, start) => ({ kind: 'continue', start, end: tokens.previousEnd }),
  return: (tokens, start) => ({
    kind: 'return',
    value: optionalValue(tokens),
    start,
    end: tokens.previousEnd,
  }),
  raise: (tokens, start) => ({ kind: 'raise', value: optionalValue(tokens), start, end: tokens.previousEnd }),
  assert: (tokens, start) => {
    const condition = parseExpression(tokens)
    const message = tokens.take(',') ? parseExpression(tokens) : undefined
    return { kind: 'assert', condition, message, start, end: tokens.previousEnd }
  },
  del: (tokens, start) => {
    const value = parseExpressionList(tokens)
    const targets = value.kind === 'tuple' ? value.elements : [value]
    return { kind: 'delete', targets, start, end: tokens.previousEnd }
  },
  import: skipImport,
  from: skipImport,
}

function skipImport(tokens: TokenStream, start: number): Stmt {
  while (tokens.current.kind !== 'newline' && tokens.current.kind !== 'end') tokens.next()
  return { kind: 'import', start, end: tokens.previousEnd }
}

function optionalValue(tokens: TokenStream): Expr | undefined {
  return tokens.current.kind === 'newline' || tokens.sees(';') ? undefined : parseExpressionList(tokens)
}

/** A line may hold several statements, separated by `;`. */
function parseStatement(tokens: TokenStream): Stmt[] {
  const { text, kind, start } = tokens.current
  if (kind === 'name' && Object.hasOwn(compound, text)) {
    tokens.next()
    return [tokens.nested(() => (compound[text] as StatementParser)(tokens, start))]
  }
  const statements = [parseSimple(tokens)]
  while (tokens.take(';') && tokens.current.kind !== 'newline') statements.push(parseSimple(tokens))
  if (tokens.current.kind !== 'end') tokens.expectKind('newline')
  return statements
}

function parseSimple(tokens: TokenStream): Stmt {
  const { text, kind, start } = tokens.current
  if (kind === 'name' && Object.hasOwn(simple, text)) {
    tokens.next()
    return (simple[text] as StatementParser)(tokens, start)
  }
  const first = parseExpressionList(tokens)
  const operator = tokens.current.text
  if (tokens.current.kind === 'operator' && /^(?:\*\*|\/\/|<<|>>|[-+*/%&|^])=$/.test(operator)) {
    tokens.next()
    const value = parseExpressionList(tokens)
    return {
      kind: 'augmented-assign',
      operator: operator.slice(0, -1),
      target: first,
      value,
      start,
      end: value.end,
    }
  }
  const annotation = tokens.take(':') ? parseExpression(tokens) : undefined
  const chain = [first]
  while (tokens.take('=')) chain.push(parseExpressionList(tokens))
  const value = chain.length > 1 ? chain.pop() : undefined
  if (value === undefined && annotation === undefined)
    return { kind: 'expr', value: first, start, end: first.end }
  return { kind: 'assign', targets: chain, annotation, value, start, end: tokens.previousEnd }
}

function parseBlock(tokens: TokenStream): Stmt[] {
  tokens.expect(':')
  if (!tokens.takeKind('newline')) return parseStatement(tokens)
  tokens.expectKind('indent')
  const body: Stmt[] = []
  while (!tokens.takeKind('dedent')) {
    if (tokens.current.kind === 'end') tokens.fail('the block is not finished')
    body.push(...parseStatement(tokens))
  }
  return body
}

function parseIf(tokens: TokenStream, start: number): IfStmt {
  const condition = parseExpressionList(tokens)
  const body = parseBlock(tokens)
  const orelse = parseElse(tokens)
  return { kind: 'if', condition, body, orelse, start, end: tokens.previousEnd }
}

function parseElse(tokens: TokenStream): Stmt[] {
  const { start } = tokens.current
  if (tokens.take('elif')) return [tokens.nested(() => parseIf(tokens, start))]
  return tokens.take('else') ? parseBlock(tokens) : []
}

function parseWith(tokens: TokenStream, start: number): WithStmt {
  const items: { context: Expr; target: Expr | undefined }[] = []
  do {
    const context = parseExpression(tokens)
    items.push({ context, target: tokens.take('as') ? parseExpression(tokens) : undefined })
  } while (tokens.take(','))
  return { kind: 'with', items, body: parseBlock(tokens), start, end: tokens.previousEnd }
}

function parseDef(tokens: TokenStream, start: number): FunctionDef {
  const name = tokens.expectKind('name').text
  tokens.expect('(')
  let kwargOnly = false
  const parameters: Parameter[] = []
  tokens.list(')', () => {
    if (tokens.take('*')) kwargOnly = true
    else parameters.push(parseParameter(tokens, kwargOnly))
  })
  const returns = tokens.take('->') ? parseExpression(tokens) : undefined
  return { kind: 'def', name, parameters, returns, body: parseBlock(tokens), start, end: tokens.previousEnd }
}

function parseParameter(tokens: TokenStream, kwargOnly: boolean): Parameter {
  const name = tokens.expectKind('name')
  const annotation = tokens.take(':') ? parseExpression(tokens) : undefined
  const value = tokens.take('=') ? parseExpression(tokens) : undefined
  return {
    name: name.text,
    annotation,
    default: value,
    kwargOnly,
    start: name.start,
    end: tokens.previousEnd,
  }
}

function parseClass(tokens: TokenStream, start: number): ClassDef {
  const name = tokens.expectKind('name').text
  let base: string | undefined
  if (tokens.take('(')) {
    const bases = tokens.list(')', () => parseExpression(tokens))
    base =
      bases[0]?.kind === 'name' ? bases[0].name : bases[0]?.kind === 'attribute' ? bases[0].name : undefined
  }
  return { kind: 'class', name, base, body: parseBlock(tokens), start, end: tokens.previousEnd }
}
