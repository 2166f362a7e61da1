import { describe, expect, it } from 'vitest'
import { ScriptSyntaxError } from './errors.ts'
import { parseExpressionText, parseSource } from './statement-parser.ts'
import type { Expr, Stmt } from './syntax.ts'

/** The expression with all that binds written out as brackets. */
function show(expr: Expr | undefined): string {
  if (expr === undefined) return ''
  switch (expr.kind) {
    case 'name':
      return expr.name
    case 'int':
    case 'float':
      return `${expr.value}`
    case 'string':
      return JSON.stringify(expr.value)
    case 'unary':
      return `(${expr.operator} ${show(expr.operand)})`
    case 'binary':
      return `(${show(expr.left)} ${expr.operator} ${show(expr.right)})`
    case 'conditional':
      return `(${show(expr.whenTrue)} if ${show(expr.condition)} else ${show(expr.whenFalse)})`
    case 'attribute':
      return `${show(expr.value)}.${expr.name}`
    case 'call':
      return `${show(expr.callee)}(${[...expr.args.map(show), ...expr.kwargs.map((k) => `${k.name}=${show(k.value)}`)].join(', ')})`
    case 'subscript':
      return `${show(expr.value)}[${expr.indices.map(show).join(', ')}]`
    case 'slice':
      return [expr.lower, expr.upper, expr.step].map(show).join(':')
    case 'tuple':
      return `<${expr.elements.map(show).join(', ')}>`
    case 'list':
      return `[${expr.elements.map(show).join(', ')}]`
    case 'dict':
      return `{${expr.keys.map((key, i) => `${show(key)}: ${show(expr.values[i])}`).join(', ')}}`
    case 'list-comprehension':
      return `[${show(expr.element)} for ${show(expr.target)} in ${show(expr.iterable)}]`
    case 'starred':
      return `*${show(expr.value)}`
    default:
      return expr.kind
  }
}

const read = (text: string): string => show(parseExpressionText({ name: 'a', text }))
const parse = (text: string): Stmt[] => parseSource({ name: 'code/a.py', text })

function faultOf(text: string): ScriptSyntaxError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ScriptSyntaxError) return error
    throw error
  }
  throw new TypeError('nothing was thrown')
}

describe('expressions', () => {
  it.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a ** b ** c', '(a ** (b ** c))'],
    ['-a ** b', '(- (a ** b))'],
    ['not a == b', '(not (a == b))'],
    ['a or b and not c', '(a or (b and (not c)))'],
    ['a if b else c if d else e', '(a if b else (c if d else e))'],
    ['a is not None', '(a is not none)'],
    ['a not in b', '(a not in b)'],
    ['a | b ^ c & d << e', '(a | (b ^ (c & (d << e))))'],
    ['-5', '-5'],
    ['- -5', '5'],
    ['(a, b)', '<a, b>'],
    ['(a,)', '<a>'],
    ['()', '<>'],
    ['(a)', 'a'],
    ['[a, b,]', '[a, b]'],
    ['{"a": b, "c": d}', '{"a": b, "c": d}'],
    ['[f(x) for x in xs]', '[f(x) for x in xs]'],
    ['"a" "b"', '"ab"'],
    ['f(a, *b, c=d)', 'f(a, *b, c=d)'],
    ['a.b(c)[d].e', 'a.b(c)[d].e'],
    ['a[1:2, ::3, :, ...]', 'a[1:2:, ::3, ::, ellipsis]'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['Dict[str, List[int]]', 'Dict[str, List[int]]'],
  ])('binds as Python does: %s', (text, structure) => {
    expect(read(text)).toBe(structure)
  })

  it('knows what its text is', () => {
    const text = 'x = torch.add(y, (z))'
    const [statement] = parse(text)
    if (statement?.kind !== 'assign' || statement.value?.kind !== 'call') return expect.fail('no assignment')
    const { value } = statement
    expect(text.slice(value.start, value.end)).toBe('torch.add(y, (z))')
    expect(text.slice(value.callee.start, value.callee.end)).toBe('torch.add')
  })
})

describe('statements', () => {
  it('come in the order of the text, with the blocks in them', () => {
    const [def] = parse(`
def f(self,
    x: Tensor,
    *,
    n: int=2) -> Tensor:
  if n:
    x = x + 1
  elif x:
    pass
  else:
    x += 1
  while True: x = x
  for i, j in y:
    continue
  with torch.no_grad() as g:
    raise ValueError("no")
  assert n > 1, "small"
  a : Optional[int] = None
  (a, b,) = c
  del a
  return x, n
`)
    if (def?.kind !== 'def') return expect.fail('no definition')
    expect(def.parameters.map((p) => [p.name, show(p.annotation), show(p.default), p.kwargOnly])).toEqual([
      ['self', '', '', false],
      ['x', 'Tensor', '', false],
      ['n', 'int', '2', true],
    ])
    expect(show(def.returns)).toBe('Tensor')
    expect(def.body.map(({ kind }) => kind)).toEqual([
      ...['if', 'while', 'for', 'with', 'assert', 'assign', 'assign', 'delete', 'return'],
    ])
    const [first] = def.body
    expect(first?.kind === 'if' && first.orelse[0]?.kind).toBe('if')
  })

  it('may be classes with a base', () => {
    const [plain, module] = parse('class A:\n  pass\nclass B(Module):\n  __parameters__ = []\n  a : int\n')
    expect(plain).toMatchObject({ kind: 'class', name: 'A', base: undefined })
    expect(module).toMatchObject({ kind: 'class', name: 'B', base: 'Module' })
  })

  it.each([
    ['x = (1, 2', /expected '\)'/, 1],
    ['def f(:\n  pass', /expected name but found ':'/, 1],
    ['def f():\nreturn 1', /expected indent but found 'return'/, 2],
    ['class A(Module):\n', /expected indent/, 2],
    ['x = \n', /expected an expression/, 1],
    ['x = 1 2', /expected newline but found '2'/, 1],
    ['for in x:\n  pass', /expected a loop variable/, 1],
    ['a = 1\n  b = 2', /expected an expression/, 2],
    ['f(a b)', /expected '\)' but found 'b'/, 1],
    ['a[]', /expected an index/, 1],
    ['a = )', /expected an expression but found '\)'/, 1],
  ])('are refused with line and column: %j', (text, found, line) => {
    const error = faultOf(text)
    expect(error.found).toMatch(found)
    expect(error.place).toMatchObject({ entry: 'code/a.py', line })
    expect(error.place.column).toBeGreaterThan(0)
  })
})
