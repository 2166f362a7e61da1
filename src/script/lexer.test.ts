import { describe, expect, it } from 'vitest'
import { ScriptSyntaxError } from './errors.ts'
import { tokenize } from './lexer.ts'

/** Tokens as `kind:text`, those without text by kind alone. */
function read(text: string): string[] {
  return tokenize({ name: 'code/a.py', text }).map((token) =>
    token.text === '' ? token.kind : `${token.kind}:${token.text}`,
  )
}

function faultOf(text: string): ScriptSyntaxError {
  try {
    tokenize({ name: 'code/a.py', text })
  } catch (error) {
    if (error instanceof ScriptSyntaxError) return error
    throw error
  }
  throw new TypeError('nothing was thrown')
}

const stringIn = (text: string): string | undefined =>
  tokenize({ name: 'a', text }).find(({ kind }) => kind === 'string')?.text

describe('tokenize', () => {
  it('tells names, numbers and operators apart', () => {
    expect(read('a1 = -1.5e-3 ** 0x1F // .5')).toEqual([
      'name:a1',
      'operator:=',
      'operator:-',
      'number:1.5e-3',
      'operator:**',
      'number:0x1F',
      'operator://',
      'number:.5',
      'newline',
      'end',
    ])
  })

  it('reads numbers as libtorch writes them', () => {
    const numbers = ['0', '1.', '0.10000000000000001', '1e-05', '9223372036854775807', '2j', '1e+20']
    for (const number of numbers) expect(read(number)[0]).toBe(`number:${number}`)
  })

  it('turns indentation into tokens and closes all blocks at the end', () => {
    expect(read('if a:\n  b\n  if c:\n      d\ne')).toEqual([
      ...['name:if', 'name:a', 'operator::', 'newline', 'indent', 'name:b', 'newline'],
      ...['name:if', 'name:c', 'operator::', 'newline', 'indent', 'name:d', 'newline'],
      ...['dedent', 'dedent', 'name:e', 'newline', 'end'],
    ])
    expect(read('if a:\n  b').slice(-3)).toEqual(['newline', 'dedent', 'end'])
  })

  it('ignores empty lines, comments and breaks within brackets', () => {
    expect(read('f(a,\n\n     # why\n  b)\n   # the end\n\n')).toEqual(read('f(a, b)'))
    expect(read('a + \\\n  b')).toEqual(read('a + b'))
  })

  it('resolves escapes, and bytes that libtorch writes in octal', () => {
    expect(stringIn(String.raw`"a\n\t\"\\\x41A\101"`)).toBe('a\n\t"\\AAA')
    expect(stringIn(String.raw`"gr\303\274n"`)).toBe('grün')
    expect(stringIn(String.raw`r"\d"`)).toBe(String.raw`\d`)
    expect(stringIn('"""a\n"b" \'c\'"""')).toBe('a\n"b" \'c\'')
  })

  it('gives each token its place', () => {
    const [, , call] = tokenize({ name: 'a', text: 'x = relu(x)' })
    expect(call).toMatchObject({ text: 'relu', start: 4, end: 8 })
  })

  it.each([
    ['a = "b', 'string literal is not closed', 1, 5],
    ['a = 1\nb = ?', 'unexpected character "?"', 2, 5],
    ['if a:\n    b\n  c', 'indentation matches no outer level', 3, 3],
    ['a = """b\n\n', 'string literal is not closed', 1, 5],
  ])('says where it fails: %j', (text, found, line, column) => {
    const error = faultOf(text)
    expect(error.found).toBe(found)
    expect(error.place).toEqual({ entry: 'code/a.py', line, column })
  })
})
