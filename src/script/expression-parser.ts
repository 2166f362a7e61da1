import type { Expr, KeywordArgument } from './syntax.ts'
import type { TokenStream } from './token-stream.ts'

/** Binding strength of binary operators, Python's; `not`, comparisons and the conditional are treated apart. */
const precedence: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  in: 4,
  'not in': 4,
  is: 4,
  'is not': 4,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '|': 5,
  '^': 6,
  '&': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '//': 10,
  '%': 10,
  '@': 10,
  '**': 12,
}
const notPrecedence = 3
const signPrecedence = 11

/** One expression; without a comma at the top level. */
export function parseExpression(tokens: TokenStream): Expr {
  return tokens.nested(() => {
    const whenTrue = parseBinary(tokens, 1)
    if (!tokens.take('if')) return whenTrue
    const condition = parseBinary(tokens, 1)
    tokens.expect('else')
    const whenFalse = parseExpression(tokens)
    return { kind: 'conditional', condition, whenTrue, whenFalse, start: whenTrue.start, end: whenFalse.end }
  })
}

/** Expressions separated by commas: a tuple if there is a comma. */
export function parseExpressionList(tokens: TokenStream): Expr {
  const first = parseStarred(tokens)
  if (!tokens.sees(',')) return first
  const elements = [first]
  while (tokens.take(',') && startsExpression(tokens)) elements.push(parseStarred(tokens))
  return { kind: 'tuple', elements, start: first.start, end: tokens.previousEnd }
}

function startsExpression(tokens: TokenStream): boolean {
  const { kind, text } = tokens.current
  return (
    kind === 'number' ||
    kind === 'string' ||
    (kind === 'name' && text !== 'in') ||
    ['(', '[', '{', '-', '~', '*', '+'].includes(text)
  )
}

function parseStarred(tokens: TokenStream): Expr {
  const { start } = tokens.current
  if (!tokens.take('*')) return parseExpression(tokens)
  const value = parseExpression(tokens)
  return { kind: 'starred', value, start, end: value.end }
}

function parseBinary(tokens: TokenStream, minimum: number): Expr {
  let left = parseUnary(tokens)
  for (;;) {
    const operator = operatorAt(tokens)
    const strength = precedence[operator]
    if (strength === undefined || strength < minimum) return left
    tokens.next()
    if (operator === 'not in' || operator === 'is not') tokens.next()
    const rightMinimum = operator === '**' ? signPrecedence : strength + 1
    const right = tokens.nested(() => parseBinary(tokens, rightMinimum))
    left = { kind: 'binary', operator, left, right, start: left.start, end: right.end }
  }
}

function operatorAt(tokens: TokenStream): string {
  const { kind, text } = tokens.current
  if (kind !== 'operator' && kind !== 'name') return ''
  if (text === 'is' && tokens.following.text === 'not') return 'is not'
  if (text === 'not' && tokens.following.text === 'in') return 'not in'
  return Object.hasOwn(precedence, text) ? text : ''
}

function parseUnary(tokens: TokenStream): Expr {
  const { text, start } = tokens.current
  const isOperator = tokens.sees('not') || tokens.sees('-') || tokens.sees('+') || tokens.sees('~')
  if (!isOperator) return parsePostfix(tokens)
  tokens.next()
  const operator = text as 'not' | '-' | '+' | '~'
  const operand = tokens.nested(() =>
    parseBinary(tokens, operator === 'not' ? notPrecedence : signPrecedence),
  )
  return operator === '-'
    ? negated(operand, start)
    : { kind: 'unary', operator, operand, start, end: operand.end }
}

/** A minus in front of a number is part of the number, so that defaults and constants may be negative. */
function negated(operand: Expr, start: number): Expr {
  if (operand.kind === 'float') return { ...operand, value: -operand.value }
  if (operand.kind === 'int') return { ...operand, value: normalizeInt(-BigInt(operand.value)) }
  return { kind: 'unary', operator: '-', operand, start, end: operand.end }
}

function normalizeInt(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function parsePostfix(tokens: TokenStream): Expr {
  let expr = parsePrimary(tokens)
  for (;;) {
    if (tokens.take('.')) {
      const name = tokens.expectKind('name')
      expr = { kind: 'attribute', value: expr, name: name.text, start: expr.start, end: name.end }
    } else if (tokens.take('(')) {
      const { args, kwargs } = parseArguments(tokens)
      expr = { kind: 'call', callee: expr, args, kwargs, start: expr.start, end: tokens.previousEnd }
    } else if (tokens.take('[')) {
      if (tokens.sees(']')) tokens.fail('expected an index')
      const indices = tokens.list(']', () => parseIndex(tokens))
      expr = { kind: 'subscript', value: expr, indices, start: expr.start, end: tokens.previousEnd }
    } else {
      return expr
    }
  }
}

function parseArguments(tokens: TokenStream): { args: Expr[]; kwargs: KeywordArgument[] } {
  const args: Expr[] = []
  const kwargs: KeywordArgument[] = []
  tokens.list(')', () => {
    if (
      tokens.current.kind === 'name' &&
      tokens.following.text === '=' &&
      tokens.following.kind === 'operator'
    ) {
      const name = tokens.next()
      tokens.next()
      const value = parseExpression(tokens)
      kwargs.push({ name: name.text, value, start: name.start, end: value.end })
    } else {
      args.push(parseStarred(tokens))
    }
  })
  return { args, kwargs }
}

function parseIndex(tokens: TokenStream): Expr {
  const { start } = tokens.current
  const part = (): Expr | undefined =>
    tokens.sees(':') || tokens.sees(']') || tokens.sees(',') ? undefined : parseStarred(tokens)
  const lower = part()
  if (!tokens.take(':')) return lower ?? tokens.fail('expected an index')
  const upper = part()
  const step = tokens.take(':') ? part() : undefined
  return { kind: 'slice', lower, upper, step, start, end: tokens.previousEnd }
}

function parsePrimary(tokens: TokenStream): Expr {
  const token = tokens.next()
  const { start, end, text } = token
  switch (token.kind) {
    case 'number':
      return parseNumber(text, start, end)
    case 'string': {
      let value = text
      while (tokens.current.kind === 'string') value += tokens.next().text
      return { kind: 'string', value, start, end: tokens.previousEnd }
    }
    case 'name':
      if (text === 'True' || text === 'False' || text === 'None')
        return { kind: text.toLowerCase() as 'true' | 'false' | 'none', start, end }
      return { kind: 'name', name: text, start, end }
    default:
      if (text === '(') return parseParenthesized(tokens, start)
      if (text === '[') return parseList(tokens, start)
      if (text === '{') return parseDict(tokens, start)
      if (text === '...') return { kind: 'ellipsis', start, end }
      return tokens.fail(
        text === '' ? 'expected an expression' : `expected an expression but found '${text}'`,
        start,
      )
  }
}

function parseNumber(text: string, start: number, end: number): Expr {
  if (text.endsWith('j')) return { kind: 'complex', imag: Number(text.slice(0, -1)), start, end }
  if (/^0x/i.test(text) || /^\d+$/.test(text))
    return { kind: 'int', value: normalizeInt(BigInt(text)), start, end }
  return { kind: 'float', value: Number(text), start, end }
}

function parseParenthesized(tokens: TokenStream, start: number): Expr {
  if (tokens.take(')')) return { kind: 'tuple', elements: [], start, end: tokens.previousEnd }
  const inner = tokens.nested(() => parseExpressionList(tokens))
  tokens.expect(')')
  return inner.kind === 'tuple' ? { ...inner, start, end: tokens.previousEnd } : inner
}

function parseList(tokens: TokenStream, start: number): Expr {
  if (tokens.take(']')) return { kind: 'list', elements: [], start, end: tokens.previousEnd }
  const element = parseStarred(tokens)
  if (tokens.take('for')) {
    const target = parseTarget(tokens)
    const iterable = parseExpression(tokens)
    tokens.expect(']')
    return {
      kind: 'list-comprehension',
      element,
      key: undefined,
      target,
      iterable,
      start,
      end: tokens.previousEnd,
    }
  }
  const rest = tokens.take(',') ? tokens.list(']', () => parseStarred(tokens)) : (tokens.expect(']'), [])
  return { kind: 'list', elements: [element, ...rest], start, end: tokens.previousEnd }
}

function parseDict(tokens: TokenStream, start: number): Expr {
  const keys: Expr[] = []
  const values: Expr[] = []
  while (!tokens.take('}')) {
    const key = parseExpression(tokens)
    tokens.expect(':')
    const value = parseExpression(tokens)
    if (keys.length === 0 && tokens.take('for')) {
      const target = parseTarget(tokens)
      const iterable = parseExpression(tokens)
      tokens.expect('}')
      return {
        kind: 'dict-comprehension',
        element: value,
        key,
        target,
        iterable,
        start,
        end: tokens.previousEnd,
      }
    }
    keys.push(key)
    values.push(value)
    if (!tokens.take(',') && !tokens.sees('}')) tokens.expect('}')
  }
  return { kind: 'dict', keys, values, start, end: tokens.previousEnd }
}

/** The target of a `for`, up to and with `in`. */
export function parseTarget(tokens: TokenStream): Expr {
  const { start } = tokens.current
  const elements: Expr[] = []
  let isTuple = false
  while (!tokens.sees('in')) {
    elements.push(parsePostfix(tokens))
    if (!tokens.take(',')) break
    isTuple = true
  }
  tokens.expect('in')
  const [first] = elements
  if (first === undefined) return tokens.fail('expected a loop variable')
  return isTuple ? { kind: 'tuple', elements, start, end: tokens.previousEnd } : first
}
