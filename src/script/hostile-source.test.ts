import { describe, expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'

/** Compiles and inlines `forward` of a module whose method has this body. */
function compile(body: string, classes = '', members = ''): void {
  const indented = body.replaceAll(/^/gm, '    ')
  const text = `${classes}class M(Module):
${members}  def forward(self: __torch__.M, x: Tensor) -> Tensor:
${indented}
`
  const forward = new ModuleSource(text).classOf('M').methods.get('forward')
  if (forward) inlinedGraph(forward)
}

const many = 5000
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

describe('source that is made to exhaust its reader', () => {
  it.each([
    ['parentheses', `return ${'('.repeat(many)}x${')'.repeat(many)}`],
    ['attributes of attributes', `return x${'.data'.repeat(many)}`],
    ['calls of calls', `return x${'.relu()'.repeat(many)}`],
    ['elements of elements', `return x${'[0]'.repeat(many)}`],
    ['long sums', `return x${'+x'.repeat(many)}`],
    ['long comparisons', `a = ${'1 < '.repeat(many)}1\nreturn x`],
    ['long conjunctions', `a = True${' and True'.repeat(many)}\nreturn x`],
    ['signs', `return ${'-'.repeat(many)}x`],
    ['lists of lists', `a = ${'['.repeat(many)}${']'.repeat(many)}\nreturn x`],
    ['conditionals', `a = ${'1 if True else '.repeat(many)}1\nreturn x`],
    ['elif', `if True:\n  pass\n${lines(many, () => 'elif True:\n  pass')}\nreturn x`],
    ['blocks', `${lines(1000, (i) => `${' '.repeat(i)}if True:`)}\n${' '.repeat(1000)}pass\nreturn x`],
  ])('is refused where it nests too deeply: %s', (_name, body) => {
    expect(() => compile(body)).toThrow(/nested/)
  })

  it.each([
    ['lists', `y0 = [x]\n${lines(many, (i) => `y${i + 1} = [y${i}]`)}\nreturn x`],
    ['dicts', `y0 = {"a": x}\n${lines(many, (i) => `y${i + 1} = {"a": y${i}}`)}\nreturn x`],
    ['pairs', `y0 = (x, x)\n${lines(100, (i) => `y${i + 1} = (y${i}, y${i})`)}\nreturn x`],
  ])('is refused where its types grow out of bounds: %s', (_name, body) => {
    expect(() => compile(body)).toThrow('a type is nested too deeply or is too large')
  })

  it('is refused where a NamedTuple contains itself', () => {
    const own = 'class A(NamedTuple):\n  a : __torch__.A\n'
    const mutual = 'class A(NamedTuple):\n  b : __torch__.B\nclass B(NamedTuple):\n  a : __torch__.A\n'
    for (const classes of [own, mutual])
      expect(() => compile('return x', classes, '  a : __torch__.A\n')).toThrow('contains itself')
  })

  it('is refused where functions call each other without end or double at every level', () => {
    expect(() => compile('return (self).forward(x)')).toThrow('a function that calls itself')
    const doubling = lines(
      40,
      (i) => `  def f${i}(self, x: Tensor) -> Tensor:\n    return (self).f${i + 1}((self).f${i + 1}(x))`,
    )
    const end = '\n  def f40(self, x: Tensor) -> Tensor:\n    return torch.relu(x)\n'
    expect(() => compile('return (self).f0(x)', '', doubling + end)).toThrow('larger than')
  })

  it('is not mistaken for what every JavaScript object has', () => {
    expect(() => compile('return constructor')).toThrow("undefined name 'constructor'")
    expect(() => compile('return x.__proto__')).toThrow('used as a value')
    expect(() => compile('return (self).toString')).toThrow("no attribute 'toString'")
    expect(() => compile('return annotate(constructor, x)')).toThrow("unknown type 'constructor'")
  })

  it('is read although it is long', () => {
    compile(`${lines(many, () => 'x = torch.relu(x)')}\nreturn x`)
    compile(`a = [${'x, '.repeat(20 * many)}]\nreturn x`)
    compile(`a = ${'9'.repeat(20 * many)}\nreturn x`)
    compile(`a = ${'"a" '.repeat(many)}\nreturn x`)
  })
})
